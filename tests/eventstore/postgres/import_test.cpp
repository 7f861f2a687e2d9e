#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "support/tcp_proxy.hpp"

#include <optional>
#include <thread>
#include <vector>

namespace recount::test {
namespace {

using Harm = TcpProxy::Harm;
using Kind = Imported::Kind;

constexpr int events = 200;

/// Some events for each of the partitions.
ImportSource source() {
    return [i = 0]() mutable -> std::optional<ImportedEvent> {
        if (i == events) return {};
        const int n = i++;
        return ImportedEvent{StreamName::parse("order-" + std::to_string(n % 40)),
                             {"test.Happened", std::to_string(n)}};
    };
}

std::int64_t verified(EventStore& store) {
    std::int64_t count = 0;
    for (const LogHead& head : store.verify_chain()) count += head.n;
    return count;
}

void expect_in_order(EventStore& store) {
    for (int i = 0; i < 40; ++i) {
        const auto page = store.read_stream(StreamName{"order", std::to_string(i)});
        ASSERT_EQ(page.events.size(), 5U);
        for (int n = 0; n < 5; ++n) {
            EXPECT_EQ(page.events[static_cast<std::size_t>(n)].payload, std::to_string(i + n * 40));
        }
    }
}

/// With so many connections.
class ImportBesideAnotherProgram : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(By, ImportBesideAnotherProgram, testing::Values(1, 2, 4),
                         [](const auto& each) { return std::to_string(each.param); });

TEST_P(ImportBesideAnotherProgram, GoesOnThoughItsPartitionsAreAppendedTo) {
    const OwnSchema schema;
    const auto store = open_store(schema.url(), {.connections = GetParam()});
    const auto other = open_store(schema.url());
    const Imported done = import_events(
        *store,
        {.id = "file",
         .chunk_events = 20,
         .progress =
             [&](std::int64_t) {
                 for (int i = 0; i < 16; ++i) {
                     EventStore& appends = i % 3 == 0 ? *store : *other;
                     static_cast<void>(appends.append(append_to(stream_in(Partition{i}))));
                 }
             }},
        source());
    EXPECT_EQ(done.kind, Kind::complete);
    EXPECT_EQ(done.events, events);
    EXPECT_EQ(verified(*store), events + 10 * 16);
    expect_in_order(*store);
}

TEST_P(ImportBesideAnotherProgram, IsAConflictWhenTheOtherAppendsToItsStreams) {
    const OwnSchema schema;
    const auto store = open_store(schema.url(), {.connections = GetParam()});
    const auto other = open_store(schema.url());
    const Imported done =
        import_events(*store,
                      {.id = "file",
                       .chunk_events = 20,
                       .progress =
                           [&](std::int64_t taken) {
                               if (taken == 60)
                                   static_cast<void>(other->append(append_to("order-3")));
                           }},
                      source());
    EXPECT_EQ(done.kind, Kind::conflict);
    EXPECT_EQ(done.events, 80) << "a chunk without the stream came between";
    ASSERT_EQ(done.conflict.failed.size(), 1U);
    EXPECT_EQ(done.conflict.failed.front().stream.full(), "order-3");
    EXPECT_EQ(done.conflict.failed.front().actual, Version{3});
    EXPECT_EQ(verified(*store), 81);
}

TEST_P(ImportBesideAnotherProgram, WakesTheOther) {
    const OwnSchema schema;
    const auto store = open_store(schema.url(), {.connections = GetParam()});
    const auto other = open_store(schema.url());
    EXPECT_EQ(import_events(*store, {.id = "file"}, source()).kind, Kind::complete);
    EXPECT_TRUE(other->wait(Positions{16}, std::chrono::seconds{30}));
}

TEST(ImportByOneConnection, LeavesItToASourceThatReadsTheStore) {
    const OwnSchema schema;
    const auto store = open_store(schema.url(), {.connections = 1});
    const Imported done = import_events(
        *store, {.id = "file", .chunk_events = 20},
        [&, next = source()]() mutable -> std::optional<ImportedEvent> {
            EXPECT_EQ(store->read_stream(StreamName::parse("cart-none")).head, Version{});
            return next();
        });
    EXPECT_EQ(done.kind, Kind::complete);
    EXPECT_EQ(verified(*store), events);
}

/// Each has streams of its own, in the same partitions.
TEST(ImportsBesideEachOther, AreAsManyAsThereAreConnections) {
    const OwnSchema schema;
    const auto store = open_store(schema.url());
    {
        std::vector<std::jthread> imports;
        for (int import = 0; import < 4; ++import) {
            imports.emplace_back([&store, import] {
                const std::string id = "file" + std::to_string(import);
                const Imported done = import_events(
                    *store, {.id = id, .chunk_events = 20}, [&, next = source()]() mutable {
                        auto event = next();
                        if (event) event->stream = StreamName{id, event->stream.full()};
                        return event;
                    });
                EXPECT_EQ(done.kind, Kind::complete);
            });
        }
    }
    EXPECT_EQ(verified(*store), 4 * events);
}

/// Somebody holds the partitions until the source was asked for the next chunk.
TEST(ImportThatWaitsForALock, AsksItsSourceMeanwhile) {
    const OwnSchema schema;
    const auto store = open_store(schema.url(), {.timeout = std::chrono::seconds{3}});
    const auto database = Database::open(schema.url());
    auto holding = database->begin(SqlMode::write);
    holding->exec("select 1 from partition for update");
    const Imported done =
        import_events(*store, {.id = "file", .chunk_events = 20},
                      [&, next = source(), i = 0]() mutable -> std::optional<ImportedEvent> {
                          if (i++ == 20) holding.reset();
                          return next();
                      });
    EXPECT_EQ(done.kind, Kind::complete);
    EXPECT_EQ(verified(*store), events);
}

/// The server ends the sessions whose rows wait to be written.
TEST(ImportWhoseStagedRowsAreLost, MakesThemAnew) {
    const OwnSchema schema;
    const auto store = open_store(schema.url() + "&application_name=" + schema.name());
    const auto database = Database::open(schema.url());
    std::int64_t ended = 0;
    const auto end_them = [&](std::int64_t) {
        const auto looking = database->begin(SqlMode::snapshot);
        ended += looking
                     ->query(
                         "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity "
                         "where application_name = $1 and state = 'idle in transaction'",
                         schema.name())
                     .integer(0, 0);
    };
    const Imported done =
        import_events(*store, {.id = "file", .chunk_events = 20, .progress = end_them}, source());
    EXPECT_EQ(done.kind, Kind::complete);
    EXPECT_GT(ended, 0);
    EXPECT_EQ(verified(*store), events);
    expect_in_order(*store);
}

TEST(ImportOfLargeEvents, IsCutByItsBytes) {
    const OwnSchema schema;
    const auto store = open_store(schema.url());
    const std::string large(AppendLimits{}.event_bytes, 'x');
    int chunks = 0;
    const Imported done = import_events(
        *store, {.id = "file", .progress = [&](std::int64_t) { ++chunks; }},
        [&, i = 0]() mutable -> std::optional<ImportedEvent> {
            if (i++ == 40) return {};
            return ImportedEvent{StreamName::parse("order-1"), {"test.Happened", large}};
        });
    EXPECT_EQ(done.kind, Kind::complete);
    EXPECT_EQ(chunks, 5);
    EXPECT_EQ(verified(*store), 40);
}

/// Where an import can be hit.
struct Point {
    std::string name;
    std::string sql;
    Harm harm;
    std::size_t connections;
};

std::ostream& operator<<(std::ostream& out, const Point& point) { return out << point.name; }

class ImportHitAtAnyStatement : public testing::TestWithParam<Point> {};

TEST_P(ImportHitAtAnyStatement, WritesEveryChunkOnce) {
    const OwnSchema schema;
    TcpProxy proxy{port_of(postgres_url())};
    const auto straight = open_store(schema.url());
    const auto store =
        open_store(proxy.url_through(schema.url()),
                   {.timeout = std::chrono::seconds{1}, .connections = GetParam().connections});
    const auto hit = [&](std::int64_t taken) {
        if (taken == 100) proxy.harm(GetParam().sql, GetParam().harm);
    };
    const Imported done =
        import_events(*store, {.id = "file", .chunk_events = 20, .progress = hit}, source());
    EXPECT_EQ(proxy.harmed(), 1);
    EXPECT_EQ(done.kind, Kind::complete);
    EXPECT_EQ(done.events, events);
    EXPECT_EQ(done.repeated, 0);
    EXPECT_EQ(verified(*straight), events);
    expect_in_order(*straight);
}

std::vector<Point> points() {
    std::vector<Point> points;
    for (const std::size_t connections : {1U, 2U, 4U}) {
        const std::string by = "By" + std::to_string(connections);
        points.push_back(
            {"HalfClosedAtTheWrite" + by, "stream_moved", Harm::half_close, connections});
        points.push_back(
            {"SilentAfterTheWrite" + by, "stream_moved", Harm::swallow_reply, connections});
        for (const auto& [name, sql] :
             {std::pair{"TheCopy", "from stdin"}, std::pair{"TheWrite", "stream_moved"},
              std::pair{"TheCommit", "commit"}}) {
            points.push_back(
                {"Before" + std::string{name} + by, sql, Harm::cut_before, connections});
            points.push_back({"After" + std::string{name} + by, sql, Harm::cut_reply, connections});
        }
    }
    return points;
}

std::string point_name(const testing::TestParamInfo<Point>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Connections, ImportHitAtAnyStatement, testing::ValuesIn(points()),
                         point_name);

}  // namespace
}  // namespace recount::test
