#include "eventstore/contract/imports.hpp"

#include <recount/core/error.hpp>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Imported::Kind;

TEST_P(ImportContract, KeepsTheOrderOfTheSourceInStreamsAndPartitions) {
    add("cart-1", 3);
    const auto events = history(500, 37);
    const Imported done = import_all(store(), events, {.id = "file", .chunk_events = 64});
    EXPECT_EQ(done.kind, Kind::complete);
    EXPECT_EQ(done.events, 500);
    EXPECT_EQ(done.repeated, 0);
    reopen();
    EXPECT_EQ(verified(store()), 503);

    std::map<std::string, std::vector<std::string>> wanted;
    for (const ImportedEvent& each : events) {
        wanted[each.stream.full()].push_back(each.event.payload);
    }
    for (const auto& [name, texts] : wanted) {
        EXPECT_EQ(payloads(read_all(name)), texts) << name;
        EXPECT_EQ(read_all(name).back().at.version.value, std::ssize(texts)) << name;
    }
    for (std::int32_t p = 0; p < store().identity().partitions; ++p) {
        int last = -1;
        for (const RecordedEvent& each : read_partition(Partition{p})) {
            if (each.at.stream.category() != "order") continue;
            EXPECT_GT(std::stoi(*each.payload), last);
            last = std::stoi(*each.payload);
        }
    }
}

TEST_P(ImportContract, KeepsWhatIsKnownOfEachEvent) {
    auto events = history(3, 1);
    events[1].id = derived_uuid("test", "1");
    events[2].event = closing_event("moved");
    events[2].metadata = {};
    EXPECT_EQ(import_all(store(), events, {.id = "file"}).kind, Kind::complete);
    reopen();
    const auto read = read_all("order-0");
    ASSERT_THAT(read, SizeIs(3));
    EXPECT_EQ(read[0].at.occurred_at, events[0].metadata.occurred_at);
    EXPECT_EQ(read[0].at.correlation_id, "file-1");
    EXPECT_EQ(read[0].at.headers, events[0].metadata.headers);
    EXPECT_EQ(read[0].at.event_id, event_id("file/0", 0));
    EXPECT_EQ(read[1].at.event_id, events[1].id);
    EXPECT_EQ(read[2].at.append_id, "file/0");
    EXPECT_EQ(read[2].at.append_index, 2U);
    EXPECT_EQ(read[2].at.append_count, 3U);
    EXPECT_EQ(read[2].at.occurred_at, read[2].at.recorded_at);
    EXPECT_THAT(read[2].at.headers, IsEmpty());
    EXPECT_TRUE(store().read_stream(stream("order-0"), {}).closed);
    EXPECT_THROW(static_cast<void>(store().append(make_append("a", {write("order-0")}))),
                 StreamClosed);
}

TEST_P(ImportContract, DoesNothingWhenItIsRepeatedWhateverItsChunks) {
    const auto events = history(300, 20);
    EXPECT_EQ(import_all(store(), events, {.id = "file", .chunk_events = 64}).repeated, 0);
    const auto heads = store().heads();
    for (const std::size_t size : {64, 10, 1000}) {
        reopen();
        const Imported again = import_all(store(), events, {.id = "file", .chunk_events = size});
        EXPECT_EQ(again.kind, Kind::complete);
        EXPECT_EQ(again.events, 300);
        EXPECT_EQ(again.repeated, 300);
        EXPECT_EQ(store().heads(), heads);
    }
}

TEST_P(ImportContract, GoesOnWhereItWasStopped) {
    const auto events = history(300, 20);
    std::stop_source stop;
    ImportOptions options{.id = "file", .chunk_events = 50};
    options.stop = stop.get_token();
    options.progress = [&](std::int64_t done) {
        if (done == 150) stop.request_stop();
    };
    const Imported half = import_all(store(), events, options);
    EXPECT_EQ(half.kind, Kind::stopped);
    EXPECT_EQ(half.events, 150);
    EXPECT_EQ(count_events(), 150);
    reopen();
    add("order-elsewhere");
    const Imported rest = import_all(store(), events, {.id = "file", .chunk_events = 40});
    EXPECT_EQ(rest.kind, Kind::complete);
    EXPECT_EQ(rest.events, 300);
    EXPECT_EQ(rest.repeated, 150);
    EXPECT_EQ(verified(store()), 301);
    for (int i = 0; i < 20; ++i) {
        int last = -1;
        for (const auto& text : payloads(read_all("order-" + std::to_string(i)))) {
            EXPECT_GT(std::stoi(text), last);
            last = std::stoi(text);
        }
    }
}

/// So many events, and then what the source failed on; how far the import had told it was by then.
struct FailingSource {
    int events;
    std::int64_t told = 0;

    Imported import_into(EventStore& store, std::stop_source stop = {}, std::int64_t last = 1000) {
        const auto tell = [&](std::int64_t taken) {
            told = taken;
            if (taken >= last) stop.request_stop();
        };
        return import_events(
            store, {.id = "file", .chunk_events = 20, .progress = tell, .stop = stop.get_token()},
            [this, i = 0]() mutable -> std::optional<ImportedEvent> {
                if (i == events) throw std::runtime_error("the file ends in the middle");
                EXPECT_EQ(told, std::max(i / 20 - 1, 0) * 20) << "one chunk ahead of what is told";
                ++i;
                return imported("order-" + std::to_string(i % 7), std::to_string(i));
            });
    }
};

TEST_P(ImportContract, MakesTheNextChunkWhileOneIsWritten) {
    FailingSource source{90};
    EXPECT_THROW(static_cast<void>(source.import_into(store())), std::runtime_error);
    EXPECT_EQ(source.told, 80) << "what precedes the failure is written and told";
    EXPECT_EQ(verified(store()), 80);
}

TEST_P(ImportContract, IsStoppedThoughItsSourceFailsAheadOfThat) {
    FailingSource source{70};
    const Imported done = source.import_into(store(), {}, 60);
    EXPECT_EQ(done.kind, Kind::stopped);
    EXPECT_EQ(done.events, 60);
    EXPECT_EQ(verified(store()), 60);
}

TEST_P(ImportContract, LetsLiveAppendsToOtherStreamsGoOnBetweenChunks) {
    const auto events = history(200, 30);
    ImportOptions options{.id = "file", .chunk_events = 20};
    int told = 0;
    options.progress = [&](std::int64_t done) {
        EXPECT_EQ(done, 20 * ++told);
        for (int i = 0; i < 32; ++i) add("cart-" + std::to_string(i));
    };
    EXPECT_EQ(import_all(store(), events, options).kind, Kind::complete);
    EXPECT_EQ(told, 10);
    EXPECT_EQ(verified(store()), 200 + 320);
    for (std::int32_t p = 0; p < store().identity().partitions; ++p) {
        Timestamp last;
        for (const RecordedEvent& each : read_partition(Partition{p})) {
            EXPECT_GE(each.at.recorded_at, last);
            last = each.at.recorded_at;
        }
    }
}

TEST_P(ImportContract, TakesTypesThatComeLate) {
    auto events = history(60, 7);
    for (std::size_t i = 25; i < events.size(); ++i) events[i].event.type = "test.Late";
    EXPECT_EQ(import_all(store(), events, {.id = "file", .chunk_events = 10}).events, 60);
    reopen();
    EXPECT_EQ(verified(store()), 60);
    EXPECT_EQ(read_all("order-0").back().at.type, "test.Late");
}

TEST_P(ImportContract, AppendsGoOnBehindIt) {
    EXPECT_EQ(import_all(store(), history(40, 4), {.id = "file"}).kind, Kind::complete);
    const auto head = store().read_stream(stream("order-1"), {}).head;
    const AppendResult result =
        store().append(make_append("a", {write("order-1", Expected::exactly(head))}));
    EXPECT_EQ(result.kind, AppendResult::Kind::committed);
    EXPECT_EQ(verified(store()), 41);
}

TEST_P(ImportContract, CutsChunksByTheirBytes) {
    std::vector<std::int64_t> told;
    ImportOptions options{.id = "file", .chunk_bytes = 1000};
    options.progress = [&](std::int64_t done) { told.push_back(done); };
    std::vector<ImportedEvent> events;
    for (const std::size_t size : {400, 400, 400, 3000, 10}) {
        events.push_back(imported("order-1", std::string(size, 'x')));
    }
    EXPECT_EQ(import_all(store(), events, options).kind, Kind::complete);
    EXPECT_THAT(told, ElementsAre(2, 3, 4, 5));
}

TEST_P(ImportContract, WakesThoseWhoWait) {
    const auto heads = store().heads();
    Positions seen{heads.size()};
    EXPECT_FALSE(store().wait(seen, Duration{0}));
    EXPECT_EQ(import_all(store(), history(10, 3), {.id = "file"}).kind, Kind::complete);
    EXPECT_TRUE(store().wait(seen, std::chrono::seconds{20}));
}

TEST_P(TimeContract, AnImportIsRecordedWhenItIsWritten) {
    std::vector<Timestamp> told;
    const auto pause = [&](std::int64_t) {
        clock_.move(std::chrono::hours{1});
        told.push_back(clock_.now());
    };
    EXPECT_EQ(
        import_all(store(), history(30, 3), {.id = "file", .chunk_events = 10, .progress = pause})
            .kind,
        Kind::complete);
    const auto events = read_partition(Partition{0});
    ASSERT_THAT(events, SizeIs(30));
    EXPECT_GE(events[10].at.recorded_at, told[0]);
    EXPECT_GE(events[20].at.recorded_at, told[1]);
    EXPECT_EQ(verified(store()), 30);
}

TEST_P(ImportContract, TakesNamesThatAreHostile) {
    std::vector<ImportedEvent> events;
    for (const std::string& id : hostile_ids()) {
        events.push_back(imported("cart-" + id, id));
        events.push_back(imported("cart-" + id, std::string{"\0\n\\.\t", 5}));
    }
    EXPECT_EQ(
        import_all(store(), events, {.id = "'; drop table event; --", .chunk_events = 7}).kind,
        Kind::complete);
    reopen();
    for (const std::string& id : hostile_ids()) {
        EXPECT_THAT(payloads(read_all("cart-" + id)), ElementsAre(id, std::string("\0\n\\.\t", 5)));
    }
    EXPECT_EQ(verified(store()), std::ssize(events));
}

}  // namespace
}  // namespace recount::test
