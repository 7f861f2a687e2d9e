#include <recount/core/append.hpp>
#include <recount/core/error.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

namespace {

using namespace recount;

Append good_append() {
    Append append;
    append.metadata.command_id = "command-1";
    append.metadata.headers = {{"source", "import"}};
    append.writes.push_back({StreamName{"cart", "1"}, Expected::any(), {{"shop.Added", "bytes"}}});
    append.checks.push_back({StreamName{"cart", "2"}, Expected::exists()});
    append.request = request_hash(append);
    return append;
}

TEST(Expectations, HoldOrNot) {
    EXPECT_TRUE(Expected::any().holds(Version{0}));
    EXPECT_TRUE(Expected::any().holds(Version{3}));
    EXPECT_TRUE(Expected::no_stream().holds(Version{0}));
    EXPECT_FALSE(Expected::no_stream().holds(Version{1}));
    EXPECT_FALSE(Expected::exists().holds(Version{0}));
    EXPECT_TRUE(Expected::exists().holds(Version{1}));
    EXPECT_TRUE(Expected::exactly(Version{2}).holds(Version{2}));
    EXPECT_FALSE(Expected::exactly(Version{2}).holds(Version{1}));
    EXPECT_FALSE(Expected::exactly(Version{2}).holds(Version{3}));
    EXPECT_EQ(Expected::exactly(Version{0}), Expected::no_stream());
}

TEST(Expectations, AreWrittenForPeople) {
    EXPECT_EQ(to_string(Expected::any()), "any");
    EXPECT_EQ(to_string(Expected::no_stream()), "no stream");
    EXPECT_EQ(to_string(Expected::exists()), "exists");
    EXPECT_EQ(to_string(Expected::exactly(Version{7})), "version 7");
    const Conflict conflict{{{StreamName{"cart", "1"}, Expected::exactly(Version{7}), Version{8}},
                             {StreamName{"cart", "2"}, Expected::exists(), Version{0}}}};
    EXPECT_EQ(to_string(conflict),
              "stream cart-1: expected version 7, there is version 8; "
              "stream cart-2: expected exists, there is no stream");
}

TEST(AVerdict, ThrowsWhatIsTheCallersFault) {
    AppendResult result;
    result.message = "why";
    result.kind = AppendResult::Kind::reused;
    EXPECT_THROW(static_cast<void>(accepted(result)), CommandReused);
    result.kind = AppendResult::Kind::expired;
    EXPECT_THROW(static_cast<void>(accepted(result)), CommandExpired);
    result.kind = AppendResult::Kind::conflict;
    EXPECT_EQ(accepted(result).kind, AppendResult::Kind::conflict);
}

TEST(AGoodAppend, IsAccepted) {
    EXPECT_NO_THROW(check_append(good_append()));
    Append nothing;
    nothing.metadata.command_id = "command-1";
    nothing.request = request_hash(nothing);
    EXPECT_NO_THROW(check_append(nothing));
    nothing.rejection = Rejection{"closed", "the shop is\nclosed"};
    EXPECT_NO_THROW(check_append(nothing));
    Append sealed = good_append();
    sealed.writes[0].events[0].encoding = "sealed:key-1";
    EXPECT_NO_THROW(check_append(sealed));
}

struct Fault {
    const char* name;
    std::function<void(Append&)> make;
};

TEST(AFaultyAppend, IsRefused) {
    const Fault faults[] = {
        {"no id", [](Append& a) { a.metadata.command_id.clear(); }},
        {"long id", [](Append& a) { a.metadata.command_id = std::string(256, 'x'); }},
        {"twice", [](Append& a) { a.writes.push_back(a.writes[0]); }},
        {"no events", [](Append& a) { a.writes[0].events.clear(); }},
        {"empty stream", [](Append& a) { a.writes[0].stream = {}; }},
        {"empty check", [](Append& a) { a.checks[0].stream = {}; }},
        {"checks what it writes", [](Append& a) { a.checks[0].stream = a.writes[0].stream; }},
        {"negative", [](Append& a) { a.writes[0].expected = Expected::exactly(Version{-1}); }},
        {"no type", [](Append& a) { a.writes[0].events[0].type.clear(); }},
        {"long type", [](Append& a) { a.writes[0].events[0].type = std::string(256, 'x'); }},
        {"type bytes", [](Append& a) { a.writes[0].events[0].type = "\xff"; }},
        {"encoding", [](Append& a) { a.writes[0].events[0].encoding = "gzip"; }},
        {"no key", [](Append& a) { a.writes[0].events[0].encoding = "sealed:"; }},
        {"large", [](Append& a) { a.writes[0].events[0].payload = std::string(1 << 20, 'x'); }},
        {"rejection too",
         [](Append& a) {
             a.rejection = Rejection{"closed", ""};
         }},
        {"header name", [](Append& a) { a.metadata.headers[""] = "x"; }},
        {"header control", [](Append& a) { a.metadata.headers["a\n"] = "x"; }},
        {"value control",
         [](Append& a) {
             a.metadata.headers["a"] = std::string{"\0", 1};
         }},
        {"value bytes", [](Append& a) { a.metadata.headers["a"] = "\xff"; }},
        {"large value", [](Append& a) { a.metadata.headers["a"] = std::string(9000, 'x'); }},
        {"correlation", [](Append& a) { a.metadata.correlation_id = "\r\n"; }},
        {"causation", [](Append& a) { a.metadata.causation_id = "\xc0\x80"; }},
        {"traceparent", [](Append& a) { a.metadata.traceparent = "\x1b"; }},
        {"follows nothing that is named",
         [](Append& a) {
             a.follows = "before";
             a.writes.clear();
             a.checks.clear();
         }},
        {"after",
         [](Append& a) {
             a.after.assign(200, StorePositions{{}, {}, Positions{16}});
         }},
    };
    for (const Fault& fault : faults) {
        Append append = good_append();
        fault.make(append);
        EXPECT_THROW(check_append(append), InvalidArgument) << fault.name;
    }
}

TEST(AFaultyAppend, HasAnIdThatIsTooLong) {
    for (const auto part : {&CommandMetadata::correlation_id, &CommandMetadata::causation_id}) {
        Append append = good_append();
        append.metadata.*part = std::string(255, 'i');
        EXPECT_NO_THROW(check_append(append));
        append.metadata.*part += 'i';
        EXPECT_THROW(check_append(append), InvalidArgument);
    }
}

TEST(AFaultyAppend, HasATraceparentOfAnotherForm) {
    const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const auto with = [](const std::string& traceparent) {
        Append append = good_append();
        append.metadata.traceparent = traceparent;
        return append;
    };
    const auto changed = [&](std::size_t at, std::string_view to) {
        return std::string{good}.replace(at, to.size(), to);
    };
    for (const std::string& one : {std::string{}, good, changed(0, "01"), changed(53, "ff"),
                                   changed(0, "cc") + "-what-comes"}) {
        EXPECT_NO_THROW(check_append(with(one))) << one;
    }
    const std::string zeros(32, '0');
    for (const std::string& one :
         {std::string{"nonsense"}, good.substr(1), good + "1", good + "-01", changed(0, "ff"),
          changed(3, zeros), changed(36, zeros.substr(16)), changed(3, "4B"), changed(35, "_"),
          changed(53, "0x"), changed(0, "cc") + "1", " " + good}) {
        EXPECT_THROW(check_append(with(one)), InvalidArgument) << one;
    }
    EXPECT_THROW(check_append(with(changed(0, "01") + "-" + std::string(200, 'x'))),
                 InvalidArgument);
}

TEST(AFaultyAppend, HasTooMuchOfSomething) {
    Append many_headers = good_append();
    for (int i = 0; i < 65; ++i) many_headers.metadata.headers[std::to_string(i)] = "";
    EXPECT_THROW(check_append(many_headers), InvalidArgument);

    Append many_events = good_append();
    many_events.writes[0].events.assign(1000, {"shop.Added", ""});
    EXPECT_NO_THROW(check_append(many_events));
    many_events.writes[0].events.push_back({"shop.Added", ""});
    EXPECT_THROW(check_append(many_events), InvalidArgument);

    Append large = good_append();
    large.writes[0].events.assign(5, {"shop.Added", std::string(1'000'000, 'x')});
    EXPECT_THROW(check_append(large), InvalidArgument);
    AppendLimits more;
    more.append_bytes = 6'000'000;
    EXPECT_NO_THROW(check_append(large, more));
}

TEST(AFaultyRejection, IsRefused) {
    Append append;
    append.metadata.command_id = "command-1";
    for (const Rejection& rejection :
         {Rejection{"", "no code"}, Rejection{"a\n", ""}, Rejection{"code", "\xff"},
          Rejection{"code", std::string(9000, 'x')}}) {
        append.rejection = rejection;
        EXPECT_THROW(check_append(append), InvalidArgument);
    }
}

TEST(ARequest, IsItsContentOnly) {
    const Hash hash = request_hash(good_append());
    Append same = good_append();
    same.metadata.command_id = "command-2";
    same.metadata.headers.clear();
    EXPECT_EQ(request_hash(same), hash);

    const Fault differences[] = {
        {"stream",
         [](Append& a) {
             a.writes[0].stream = StreamName{"cart", "3"};
         }},
        {"expected", [](Append& a) { a.writes[0].expected = Expected::no_stream(); }},
        {"version", [](Append& a) { a.writes[0].expected = Expected::exactly(Version{1}); }},
        {"type", [](Append& a) { a.writes[0].events[0].type = "shop.Removed"; }},
        {"payload", [](Append& a) { a.writes[0].events[0].payload = "other"; }},
        {"encoding", [](Append& a) { a.writes[0].events[0].encoding = "sealed:k"; }},
        {"more",
         [](Append& a) {
             a.writes[0].events.push_back({"shop.Added", "bytes"});
         }},
        {"boundary",
         [](Append& a) {
             a.writes[0].events[0] = {"shop.Addedb", "ytes"};
         }},
        {"check", [](Append& a) { a.checks[0].expected = Expected::any(); }},
        {"no check", [](Append& a) { a.checks.clear(); }},
        {"rejection",
         [](Append& a) {
             a.rejection = Rejection{"code", ""};
         }},
    };
    for (const Fault& difference : differences) {
        Append append = good_append();
        difference.make(append);
        EXPECT_NE(request_hash(append), hash) << difference.name;
    }
}

}  // namespace
