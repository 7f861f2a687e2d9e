#include "eventstore/contract/imports.hpp"

#include <recount/core/error.hpp>

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using Kind = Imported::Kind;

TEST_P(ImportContract, RefusesAStreamThatIsThereAndNamesIt) {
    add("order-1", 2);
    const auto events = history(100, 10);
    const Imported done = import_all(store(), events, {.id = "file"});
    EXPECT_EQ(done.kind, Kind::conflict);
    EXPECT_EQ(done.events, 0);
    EXPECT_THAT(done.conflict.failed,
                ElementsAre(FailedCheck{stream("order-1"), Expected::no_stream(), Version{2}}));
    EXPECT_EQ(verified(store()), 2);
    EXPECT_FALSE(store().find_outcome("file/0"));
}

TEST_P(ImportContract, RefusesToMixWithLiveAppendsAndLosesNothing) {
    const auto events = history(100, 4);
    ImportOptions options{.id = "file", .chunk_events = 25};
    options.progress = [&](std::int64_t done) {
        if (done == 50) add("order-1");
        if (done == 50) add("order-of-somebody-else");
    };
    const Imported done = import_all(store(), events, options);
    ASSERT_EQ(done.kind, Kind::conflict);
    EXPECT_EQ(done.events, 50);
    ASSERT_THAT(done.conflict.failed, SizeIs(1));
    const FailedCheck& failed = done.conflict.failed.front();
    EXPECT_EQ(failed.stream, stream("order-1"));
    EXPECT_EQ(failed.expected.version().value + 1, failed.actual.value);
    EXPECT_THAT(to_string(done.conflict), HasSubstr("order-1"));
    EXPECT_EQ(verified(store()), 52);
    EXPECT_EQ(read_all("order-1").back().payload, "order-1/1");
    EXPECT_EQ(import_all(store(), events, {.id = "file"}).events, 50) << "and again";
    EXPECT_EQ(verified(store()), 52);
}

TEST_P(ImportContract, RefusesAStreamThatWasClosedMeanwhile) {
    const auto events = history(20, 1);
    ImportOptions options{.id = "file", .chunk_events = 10};
    options.progress = [&](std::int64_t) {
        static_cast<void>(store().close_stream(stream("order-0")));
    };
    const Imported done = import_all(store(), events, options);
    ASSERT_EQ(done.kind, Kind::conflict);
    EXPECT_THAT(
        done.conflict.failed,
        ElementsAre(FailedCheck{stream("order-0"), Expected::exactly({10}), Version{11}, true}));
}

TEST_P(ImportContract, RefusesOtherEventsUnderTheSameId) {
    auto events = history(100, 10);
    EXPECT_EQ(import_all(store(), events, {.id = "file", .chunk_events = 30}).kind, Kind::complete);
    const auto other = [&](const auto& change) {
        auto changed = events;
        change(changed);
        EXPECT_THROW(static_cast<void>(import_all(store(), changed, {.id = "file"})),
                     CommandReused);
    };
    other([](auto& changed) { changed[40].event.payload += "!"; });
    other([](auto& changed) { changed[40].event.type += "Again"; });
    other([](auto& changed) { changed[40].metadata.occurred_at = Timestamp{}; });
    other([](auto& changed) { changed[40].metadata.headers["line"] = "?"; });
    other([](auto& changed) { changed[40].id = Uuid{}; });
    other([](auto& changed) { std::swap(changed[40], changed[41]); });
    other([](auto& changed) { changed.resize(95); });
    EXPECT_EQ(verified(store()), 100);
}

TEST_P(ImportContract, GoesNoFurtherThanAVoidedChunk) {
    store().void_command("file/1");
    EXPECT_THROW(
        static_cast<void>(import_all(store(), history(30, 3), {.id = "file", .chunk_events = 10})),
        CommandReused);
    EXPECT_EQ(verified(store()), 10);
}

TEST_P(ImportContract, RefusesWhatBreaksALimitBehindTheChunksBeforeIt) {
    reopen_with({.limits = {.event_bytes = 100}});
    const auto attempt = [&](const std::string& id, const auto& change) {
        auto events = history(30, 3);
        for (auto& each : events) each.stream = stream(id + "-" + each.stream.full());
        change(events[25]);
        try {
            static_cast<void>(import_all(store(), events, {.id = id, .chunk_events = 10}));
            ADD_FAILURE() << id;
        } catch (const InvalidArgument& refused) {
            EXPECT_THAT(refused.what(), HasSubstr("import " + id));
        }
        EXPECT_TRUE(store().find_outcome(id + "/1"));
        EXPECT_FALSE(store().find_outcome(id + "/2"));
    };
    attempt("size", [](auto& one) { one.event.payload.resize(101); });
    attempt("type", [](auto& one) { one.event.type = ""; });
    attempt("encoding", [](auto& one) { one.event.encoding = "rot13"; });
    attempt("header", [](auto& one) { one.metadata.headers["a"] = "\n"; });
    attempt("command", [](auto& one) { one.metadata.command_id = "its-own"; });
    attempt("stream", [](auto& one) { one.stream = {}; });
    attempt("large", [](auto& one) { one.metadata.correlation_id.resize(9000, 'x'); });
    EXPECT_EQ(verified(store()), 7 * 20);
}

TEST_P(ImportContract, RefusesOptionsThatCannotBe) {
    EXPECT_THROW(static_cast<void>(import_all(store(), {}, {.id = ""})), InvalidArgument);
    EXPECT_THROW(static_cast<void>(import_all(store(), {}, {.id = std::string(201, 'x')})),
                 InvalidArgument);
    EXPECT_THROW(static_cast<void>(import_all(store(), {}, {.id = "file", .chunk_events = 0})),
                 InvalidArgument);
    EXPECT_THROW(
        static_cast<void>(import_all(store(), {}, {.id = "file", .chunk_events = 1'000'000})),
        InvalidArgument);
    EXPECT_EQ(import_all(store(), {}, {.id = "file"}).kind, Kind::complete);
    auto events = history(2, 1);
    events[0].event = closing_event();
    EXPECT_THROW(static_cast<void>(import_all(store(), events, {.id = "file"})), InvalidArgument);
    EXPECT_EQ(count_events(), 0);
}

}  // namespace
}  // namespace recount::test
