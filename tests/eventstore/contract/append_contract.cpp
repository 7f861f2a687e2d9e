#include "eventstore/contract/store_contract.hpp"

#include <recount/core/error.hpp>

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::ThrowsMessage;
using Kind = AppendResult::Kind;

TEST_P(AppendContract, AnyHoldsForNewAndOldStreams) {
    EXPECT_EQ(store().append(make_append("a", {write("cart-1", Expected::any())})).kind,
              Kind::committed);
    EXPECT_EQ(store().append(make_append("b", {write("cart-1", Expected::any())})).kind,
              Kind::committed);
    EXPECT_THAT(versions(read_all("cart-1")), ElementsAre(1, 2));
}

TEST_P(AppendContract, NoStreamHoldsOnce) {
    EXPECT_EQ(store().append(make_append("a", {write("cart-1", Expected::no_stream())})).kind,
              Kind::committed);
    const AppendResult second =
        store().append(make_append("b", {write("cart-1", Expected::no_stream())}));
    ASSERT_EQ(second.kind, Kind::conflict);
    EXPECT_THAT(second.conflict.failed,
                ElementsAre(FailedCheck{stream("cart-1"), Expected::no_stream(), Version{1}}));
    EXPECT_FALSE(second.outcome);
}

TEST_P(AppendContract, ExistsHoldsOnceThereIsAnEvent) {
    EXPECT_EQ(store().append(make_append("a", {write("cart-1", Expected::exists())})).kind,
              Kind::conflict);
    add("cart-1");
    EXPECT_EQ(store().append(make_append("b", {write("cart-1", Expected::exists())})).kind,
              Kind::committed);
}

TEST_P(AppendContract, ExactlyHoldsForTheHeadAlone) {
    add("cart-1", 3);
    for (const std::int64_t wrong : {1, 2, 4}) {
        const Expected expected = Expected::exactly(Version{wrong});
        const AppendResult result = store().append(
            make_append("wrong-" + std::to_string(wrong), {write("cart-1", expected)}));
        ASSERT_EQ(result.kind, Kind::conflict);
        EXPECT_THAT(result.conflict.failed,
                    ElementsAre(FailedCheck{stream("cart-1"), expected, Version{3}}));
    }
    EXPECT_EQ(store().append(make_append("right", {write("cart-1", Expected::exactly({3}))})).kind,
              Kind::committed);
    EXPECT_EQ(store().append(make_append("zero", {write("cart-2", Expected::exactly({0}))})).kind,
              Kind::committed);
}

TEST_P(AppendContract, WritesSeveralStreamsTogether) {
    const AppendResult result =
        store().append(make_append("a", {write("cart-1", Expected::no_stream(), 2),
                                         write("stock-7", Expected::any(), 1), write("order-3")}));
    ASSERT_EQ(result.kind, Kind::committed);
    EXPECT_THAT(payloads(read_all("cart-1")), ElementsAre("cart-1/1", "cart-1/2"));
    EXPECT_THAT(payloads(read_all("stock-7")), ElementsAre("stock-7/1"));
    EXPECT_THAT(payloads(read_all("order-3")), ElementsAre("order-3/1"));
    const auto& streams = result.outcome->streams;
    ASSERT_THAT(streams, SizeIs(3));
    EXPECT_EQ(streams[0].stream, stream("cart-1"));
    EXPECT_EQ(streams[0].last, Version{2});
    for (const StreamAppended& appended : streams) {
        const auto events = read_all(appended.stream.full());
        EXPECT_EQ(events.front().at.position, appended.first_position);
        EXPECT_TRUE(result.outcome->reached.positions.cover(events.back().at.position));
    }
}

TEST_P(AppendContract, WritesNothingOfAnAppendThatConflicts) {
    add("cart-1");
    const auto before = store().heads();
    const AppendResult result = store().append(make_append(
        "a", {write("cart-2", Expected::no_stream()), write("cart-1", Expected::no_stream())}));
    EXPECT_EQ(result.kind, Kind::conflict);
    EXPECT_THAT(read_all("cart-2"), IsEmpty());
    EXPECT_EQ(store().heads(), before);
    EXPECT_FALSE(store().find_outcome("a"));
}

TEST_P(AppendContract, ChecksStreamsThatItDoesNotWrite) {
    add("stock-1", 2);
    const auto attempt = [this](const std::string& id, Expected expected) {
        return store().append(make_append(id, {write("cart-1")}, {check("stock-1", expected)}));
    };
    EXPECT_EQ(attempt("a", Expected::exactly({1})).kind, Kind::conflict);
    EXPECT_EQ(attempt("b", Expected::no_stream()).kind, Kind::conflict);
    EXPECT_EQ(attempt("c", Expected::exactly({2})).kind, Kind::committed);
    EXPECT_EQ(attempt("d", Expected::exists()).kind, Kind::committed);
    EXPECT_THAT(versions(read_all("stock-1")), ElementsAre(1, 2));
    EXPECT_THAT(versions(read_all("cart-1")), ElementsAre(1, 2));
}

TEST_P(AppendContract, NamesEveryFailedExpectation) {
    add("cart-1");
    add("cart-2", 5);
    const AppendResult result = store().append(make_append(
        "a",
        {write("cart-1", Expected::no_stream()), write("cart-9", Expected::exists()),
         write("cart-8", Expected::any())},
        {check("cart-2", Expected::exactly({4})), check("cart-3", Expected::no_stream())}));
    ASSERT_EQ(result.kind, Kind::conflict);
    EXPECT_THAT(result.conflict.failed,
                ElementsAre(FailedCheck{stream("cart-1"), Expected::no_stream(), Version{1}},
                            FailedCheck{stream("cart-9"), Expected::exists(), Version{0}},
                            FailedCheck{stream("cart-2"), Expected::exactly({4}), Version{5}}));
    EXPECT_THAT(to_string(result.conflict), HasSubstr("cart-2"));
}

TEST_P(AppendContract, GivesEachAppendOfAGroupItsOwnVerdict) {
    const Append same = make_append("same", {write("cart-4")});
    const std::vector<Append> group{
        make_append("a", {write("cart-1", Expected::no_stream())}),
        make_append("b", {write("cart-1", Expected::no_stream())}),
        make_append("c", {write("cart-1", Expected::exactly({1}), 2)}),
        same,
        same,
        make_append("same", {write("cart-5")}),
        make_refusal("r", {check("cart-1", Expected::exactly({3}))}),
    };
    const std::vector<AppendResult> results = store().append(group);
    ASSERT_THAT(results, SizeIs(7));
    EXPECT_EQ(results[0].kind, Kind::committed);
    EXPECT_EQ(results[1].kind, Kind::conflict);
    EXPECT_EQ(results[2].kind, Kind::committed);
    EXPECT_EQ(results[3].kind, Kind::committed);
    EXPECT_EQ(results[4].kind, Kind::repeated);
    EXPECT_EQ(results[4].outcome, results[3].outcome);
    EXPECT_EQ(results[5].kind, Kind::reused);
    EXPECT_EQ(results[6].kind, Kind::committed);
    EXPECT_THAT(versions(read_all("cart-1")), ElementsAre(1, 2, 3));
    EXPECT_THAT(versions(read_all("cart-4")), ElementsAre(1));
    EXPECT_THAT(read_all("cart-5"), IsEmpty());
}

TEST_P(AppendContract, TakesAnEmptyGroup) {
    EXPECT_THAT(store().append(std::span<const Append>{}), IsEmpty());
}

TEST_P(AppendContract, TakesALargeGroup) {
    std::vector<Append> group;
    for (int i = 0; i < 700; ++i) {
        group.push_back(make_append("c" + std::to_string(i),
                                    {write("cart-" + std::to_string(i % 90), Expected::any(), 2)}));
    }
    const auto results = store().append(group);
    EXPECT_EQ(std::count_if(results.begin(), results.end(),
                            [](const auto& result) { return result.kind == Kind::committed; }),
              700);
    EXPECT_EQ(count_events(), 1400);
    store().verify_chain();
}

TEST_P(AppendContract, KeepsEverythingItWasToldAboutAnEvent) {
    Append append = make_append("cmd-1", {});
    append.writes.push_back({stream("cart-1"), Expected::any(), {event("one"), event("two")}});
    append.writes[0].events[1].encoding = "sealed:key-7";
    append.metadata.correlation_id = "corr";
    append.metadata.causation_id = "cause";
    append.metadata.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    append.metadata.headers = {{"locale", "de"}, {"client", "till-3"}};
    append.metadata.occurred_at = parse_timestamp("2010-12-01T08:26:00.000001Z");
    append.after.push_back(add("cart-9").reached);
    append.request = request_hash(append);
    static_cast<void>(store().append(append));
    reopen();
    const auto events = read_all("cart-1");
    ASSERT_THAT(events, SizeIs(2));
    const Recorded& at = events[1].at;
    EXPECT_EQ(at.stream, stream("cart-1"));
    EXPECT_EQ(at.version, Version{2});
    EXPECT_EQ(at.event_id, event_id("cmd-1", 1));
    EXPECT_EQ(at.type, "test.Happened");
    EXPECT_EQ(at.encoding, "sealed:key-7");
    EXPECT_EQ(at.append_id, "cmd-1");
    EXPECT_EQ(at.append_index, 1U);
    EXPECT_EQ(at.append_count, 2U);
    EXPECT_EQ(at.correlation_id, "corr");
    EXPECT_EQ(at.causation_id, "cause");
    EXPECT_EQ(at.traceparent, append.metadata.traceparent);
    EXPECT_EQ(at.headers, append.metadata.headers);
    EXPECT_EQ(at.occurred_at, *append.metadata.occurred_at);
    EXPECT_EQ(at.after, append.after);
    EXPECT_EQ(events[1].payload, "two");
}

TEST_P(AppendContract, KeepsHostileNames) {
    for (const std::string& id : hostile_ids()) {
        const std::string name = "cart-" + id;
        Append append =
            make_append("id " + id.substr(0, 200), {write(name, Expected::no_stream())});
        append.metadata.headers = {{"name", id}};
        EXPECT_EQ(store().append(append).kind, Kind::committed) << name;
    }
    reopen();
    for (const std::string& id : hostile_ids()) {
        const auto events = read_all("cart-" + id);
        ASSERT_THAT(events, SizeIs(1)) << id;
        EXPECT_EQ(events[0].at.stream.full(), "cart-" + id);
        EXPECT_EQ(events[0].at.headers.at("name"), id);
        EXPECT_TRUE(store().find_outcome("id " + id.substr(0, 200))) << id;
    }
    EXPECT_EQ(count_events(), static_cast<std::int64_t>(hostile_ids().size()));
    store().verify_chain();
}

TEST_P(AppendContract, KeepsHostilePayloads) {
    std::string every_byte;
    for (int i = 0; i < 256; ++i) every_byte.push_back(static_cast<char>(i));
    const std::vector<std::string> given{
        "",      std::string(1, '\0'), std::string("a\0b", 3),      every_byte, "\xff\xfe",
        "'; --", "\\x414243",          std::string(300'000, '\xab')};
    StreamWrite write{stream("cart-1"), Expected::any(), {}};
    for (const std::string& payload : given) write.events.push_back(event(payload));
    static_cast<void>(store().append(make_append("a", {write})));
    reopen();
    EXPECT_EQ(payloads(read_all("cart-1")), given);
    store().verify_chain();
}

TEST_P(AppendContract, RefusesWhatBreaksALimitBeforeItWrites) {
    reopen_with({.limits = {.event_bytes = 100, .append_bytes = 250, .append_events = 4}});
    const auto refuse = [this](const Append& append) {
        EXPECT_THROW(static_cast<void>(store().append(append)), InvalidArgument);
    };
    refuse(make_append("", {write("cart-1")}));
    refuse(make_append(std::string(256, 'x'), {write("cart-1")}));
    refuse(make_append("a", {{stream("cart-1"), Expected::any(), {event(std::string(101, 'x'))}}}));
    refuse(make_append("a", {write("cart-1", Expected::any(), 5)}));
    refuse(make_append("a", {{stream("cart-1"),
                              Expected::any(),
                              {event(std::string(90, 'x')), event(std::string(90, 'x')),
                               event(std::string(90, 'x'))}}}));
    refuse(make_append("a", {write("cart-1"), write("cart-1")}));
    refuse(make_append("a", {{stream("cart-1"), Expected::any(), {}}}));
    EXPECT_EQ(count_events(), 0);
    EXPECT_EQ(store().append(make_append("a", {write("cart-1", Expected::any(), 4)})).kind,
              Kind::committed);
}

TEST_P(AppendContract, RefusesAWholeGroupForOneThatBreaksALimit) {
    const std::vector<Append> group{make_append("a", {write("cart-1")}), make_append("", {})};
    EXPECT_THROW(store().append(group), InvalidArgument);
    EXPECT_EQ(count_events(), 0);
}

TEST_P(AppendContract, LeavesEventIdsToTheCommandIdAlone) {
    add("cart-1");
    const Append append = make_append("cmd", {write("cart-1", Expected::any(), 2)});
    static_cast<void>(store().append(append));
    const auto events = read_all("cart-1");
    EXPECT_EQ(events[1].at.event_id, event_id("cmd", 0));
    EXPECT_EQ(events[2].at.event_id, event_id("cmd", 1));
}

TEST_P(AppendContract, SaltsEqualPayloadsDifferently) {
    static_cast<void>(store().append(
        make_append("a", {{stream("cart-1"), Expected::any(), {event("same"), event("same")}}})));
    const auto events = read_all("cart-1");
    EXPECT_THAT(events[0].salt, SizeIs(16));
    EXPECT_NE(events[0].salt, events[1].salt);
    EXPECT_NE(events[0].at.payload_digest, events[1].at.payload_digest);
}

TEST_P(AppendContract, OfANameThatCouldNotBeReadAgainIsRefused) {
    const auto names = {std::string{"nodash"}, "cart-" + std::string(300, 'x'),
                        std::string{"cart-\n"}};
    for (const std::string& name : names) {
        Append to = make_append("a", {write("cart-1", Expected::any())});
        to.writes.front().stream = StreamName::trusted(name);
        EXPECT_THROW(static_cast<void>(store().append(to)), InvalidArgument) << name;
        Append checked = make_append("a", {write("cart-1", Expected::any())});
        checked.checks.push_back({StreamName::trusted(name), Expected::any()});
        EXPECT_THROW(static_cast<void>(store().append(checked)), InvalidArgument) << name;
    }
    EXPECT_EQ(count_events(), 0);
}

TEST_P(AppendContract, WithoutAHashOfItsRequestIsRefused) {
    Append append = make_append("a", {write("cart-1", Expected::any())});
    append.request = {};
    EXPECT_THAT([&] { static_cast<void>(store().append(append)); },
                ThrowsMessage<InvalidArgument>(HasSubstr("request_hash(append)")));
    EXPECT_EQ(count_events(), 0);
}

}  // namespace
}  // namespace recount::test
