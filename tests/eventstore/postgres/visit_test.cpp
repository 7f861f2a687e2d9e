#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "support/eventually.hpp"
#include "support/tcp_proxy.hpp"

namespace recount::test {
namespace {

constexpr int events = 900;

/// So many events of so many bytes.
void fill(EventStore& store, int count, std::size_t bytes) {
    constexpr std::size_t bytes_at_once = 4'000'000;
    const int at_once = static_cast<int>(bytes_at_once / bytes);
    for (int done = 0; done < count; done += at_once) {
        Append append = append_to("cart-1", Expected::any(), std::min(at_once, count - done));
        for (NewEvent& event : append.writes.front().events) event.payload.assign(bytes, 'x');
        append.request = request_hash(append);
        static_cast<void>(store.append(append));
    }
}

/// A stream that is longer than what connections hold, in a store that has one, by way of a proxy.
class VisitOfALongStream : public testing::Test {
protected:
    VisitOfALongStream() { fill(*store_, events, 20'000); }

    /// The versions that `take` was given.
    template <class Take>
    std::vector<std::int64_t> visit(std::size_t page, const Take& take) {
        std::vector<std::int64_t> given;
        store_->visit_stream(stream_, Version{1}, page, [&](const RecordedEvent& event) {
            given.push_back(event.at.version.value);
            return take(event.at.version.value);
        });
        return given;
    }

    /// The server ends the connection, in the middle of what it sends.
    void cut() {
        EXPECT_GE(sessions("pg_terminate_backend(pid)"), 1);
        EXPECT_TRUE(eventually([&] { return sessions("true") == 0; }));
    }
    /// How many this store has, and for each of them something is done.
    std::int64_t sessions(const std::string& what) {
        const auto database = Database::open(schema_.url());
        const auto transaction = database->begin(SqlMode::write);
        return transaction->exec(
            "select " + what + " from pg_stat_activity where application_name = $1", application_);
    }

    static std::vector<std::int64_t> first(int count) {
        std::vector<std::int64_t> versions;
        for (int i = 1; i <= count; ++i) versions.push_back(i);
        return versions;
    }

    const StreamName stream_ = StreamName::parse("cart-1");
    const std::string application_ = unique_name("visit_");
    OwnSchema schema_;
    TcpProxy proxy_{port_of(postgres_url())};
    std::unique_ptr<EventStore> store_ =
        open_store(proxy_.url_through(schema_.url()) + "&application_name=" + application_,
                   {.connections = 1});
};

TEST_F(VisitOfALongStream, GoesOnWhereItWasWhenTheConnectionIsLost) {
    const auto given = visit(100, [&](std::int64_t version) {
        if (version == 250) cut();
        return true;
    });
    EXPECT_EQ(given, first(events));
}

TEST_F(VisitOfALongStream, LeavesItsConnectionAsItWasWhenTheVisitorThrows) {
    const auto unlucky = [&](std::int64_t version) -> bool {
        if (version == 250) throw std::runtime_error("unlucky");
        return true;
    };
    proxy_.refuse(true);  // another connection
    EXPECT_THROW(visit(100, unlucky), std::runtime_error);
    EXPECT_THROW(visit(1000, unlucky), std::runtime_error);
    EXPECT_EQ(visit(1000, [](std::int64_t version) { return version < 250; }), first(250));
    EXPECT_EQ(visit(1000, [](std::int64_t) { return true; }), first(events));
}

/// It may have taken half of the event: it is not to be given again.
TEST_F(VisitOfALongStream, PassesOnWhatTheVisitorThrowsThoughTheConnectionIsLostAsWell) {
    int thrown = 0;
    EXPECT_THROW(visit(1000,
                       [&](std::int64_t version) -> bool {
                           if (version != 250) return true;
                           cut();
                           ++thrown;
                           throw std::runtime_error("unlucky");
                       }),
                 std::runtime_error);
    EXPECT_EQ(thrown, 1);
    EXPECT_EQ(visit(1000, [](std::int64_t) { return true; }), first(events));
}

/// As when it writes where the events come from.
TEST_F(VisitOfALongStream, IsOverWhenTheVisitorThrowsWhatALostConnectionWould) {
    std::vector<std::int64_t> given;
    EXPECT_THROW(visit(1000,
                       [&](std::int64_t version) -> bool {
                           given.push_back(version);
                           if (version != 250) return true;
                           cut();
                           throw Unavailable("the view is away, too");
                       }),
                 Unavailable);
    EXPECT_EQ(given, first(250));
}

TEST_F(VisitOfALongStream, IsOverWhenNoMoreIsWantedThoughTheConnectionIsLost) {
    proxy_.refuse(true);
    const auto given = visit(1000, [&](std::int64_t version) {
        if (version == 250) cut();
        return version < 250;
    });
    EXPECT_EQ(given, first(250));
}

TEST_F(VisitOfALongStream, TakesInWhatIsAppendedMeanwhile) {
    const auto other = open_store(schema_.url());
    const auto given = visit(300, [&](std::int64_t version) {
        if (version == 10)
            static_cast<void>(other->append(append_to("cart-1", Expected::any(), 50)));
        return true;
    });
    EXPECT_EQ(given, first(events + 50));
}

/// The memory of a page of large events: they are given while the server still has them.
TEST(VisitOfLargeEvents, HoldsOneAtATime) {
    const OwnSchema schema;
    const std::string application = unique_name("visit_");
    const auto store = open_store(schema.url() + "&application_name=" + application);
    fill(*store, 48, 1'000'000);
    const auto database = Database::open(schema.url());
    const auto waits = [&] {
        const auto transaction = database->begin(SqlMode::write);
        return transaction
                   ->query(
                       "select 1 from pg_stat_activity where application_name = $1 and "
                       "wait_event = 'ClientWrite'",
                       application)
                   .size() == 1;
    };
    int given = 0;
    store->visit_stream(StreamName::parse("cart-1"), Version{1}, 1000, [&](const RecordedEvent&) {
        if (++given == 1) {
            EXPECT_TRUE(eventually(waits)) << "all was received before the first was given";
        }
        return true;
    });
    EXPECT_EQ(given, 48);
}

TEST(VisitThatTheServerRefuses, SaysWhyAndKeepsItsConnection) {
    const OwnSchema schema;
    TcpProxy proxy{port_of(postgres_url())};
    const auto store = open_store(proxy.url_through(schema.url()),
                                  {.timeout = std::chrono::seconds{1}, .connections = 1});
    static_cast<void>(store->append(append_to("cart-1")));
    const auto visit = [&] {
        store->visit_stream(StreamName::parse("cart-1"), Version{1}, 10,
                            [](const RecordedEvent&) { return true; });
    };
    visit();
    proxy.refuse(true);  // another connection
    const auto database = Database::open(schema.url());
    auto transaction = database->begin(SqlMode::write);
    transaction->exec("lock table stream in access exclusive mode");
    EXPECT_THAT(visit, testing::ThrowsMessage<Error>(testing::HasSubstr("SQLSTATE")));
    transaction.reset();
    visit();
}

}  // namespace
}  // namespace recount::test
