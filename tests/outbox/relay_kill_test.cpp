#include <recount/core/error.hpp>
#include <recount/eventstore/sql.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <csignal>

#include "outbox/child.hpp"
#include "outbox/kit.hpp"
#include "relay_cursors.hpp"
#include "support/eventually.hpp"
#include "support/servers.hpp"

namespace recount::test {
namespace {

struct RelaysInProcesses : testing::Test {
    std::string url = postgres_url_with_own_schema();
    std::unique_ptr<EventStore> store = open_store(url, {.partitions = 4});
    KafkaTopic topic = own_topic_for(*store);

    std::unique_ptr<Child> start(const std::string& lease_ms = "3000") const {
        return std::make_unique<Child>(
            std::vector<std::string>{RELAY_CHILD, url, topic.brokers, topic.name, lease_ms});
    }
    std::int64_t published() {
        std::int64_t sum = 0;
        for (std::int32_t partition = 0; partition < 4; ++partition) {
            sum += static_cast<std::int64_t>(read_raw(topic, topic.log(), partition).size());
        }
        return sum;
    }
    std::int64_t head() {
        std::int64_t sum = 0;
        for (const auto& one : store->heads()) sum += one.n;
        return sum;
    }
    std::int64_t cursor() {
        auto database = Database::open(url);
        auto sql = database->begin(SqlMode::snapshot);
        return sql->query("select coalesce(sum(n), 0)::bigint from relay_cursor").integer(0, 0);
    }
    /// The table is there once a relay was.
    std::int64_t cursor_or_zero() {
        try {
            return cursor();
        } catch (const Error&) {
            return 0;
        }
    }
    void let_pass(std::uint64_t milliseconds) {
        eventually([] { return false; }, std::chrono::milliseconds{milliseconds});
    }
};

TEST_F(RelaysInProcesses, LoseNothingHoweverOftenTheyAreKilled) {
    auto appending = store->environment().scheduler.spawn("append", [&](std::stop_token stop) {
        do {
            append_events(*store, 40);
        } while (store->environment().scheduler.sleep(std::chrono::milliseconds{20}, stop));
    });
    constexpr int kills = 12;
    for (int round = 0; round < kills; ++round) {
        const std::int64_t before = cursor_or_zero();
        append_events(*store, 1000);
        auto child = start("300");
        // At any moment of its life: while it starts, while it sends, after its cursor moved.
        if (round % 3 == 0) {
            let_pass(Environment::system().random.next() % 300);
        } else {
            EXPECT_TRUE(eventually([&] { return cursor_or_zero() > before; }));
            let_pass(Environment::system().random.next() % 200);
        }
        child->kill();
        ASSERT_EQ(differences(*store, topic, {.complete = false}), "") << "round " << round;
    }
    appending->request_stop();
    appending->join();
    Relay last{*store, {.topic = topic}};
    EXPECT_TRUE(eventually([&] {
        try {
            last.catch_up();
            return true;
        } catch (const Fenced&) {
            return false;  // the lease of the one that was killed
        }
    }));
    std::int64_t replays = 0;
    EXPECT_EQ(differences(*store, topic, {}, &replays), "");
    EXPECT_EQ(cursor(), head());
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
    const auto audited = Audit{*store, {.topic = topic}}.catch_up();
    EXPECT_EQ(audited.verdict(), AuditVerdict::equal) << audited.unknown;
    EXPECT_EQ(audited.proved(), head());
    EXPECT_EQ(audited.replayed, replays);
    RecordProperty("replays", static_cast<int>(replays));
}

TEST_F(RelaysInProcesses, StandByForEachOther) {
    append_events(*store, 100);
    auto first = start();
    ASSERT_TRUE(eventually([&] { return published() == 100; }));
    auto second = start();
    append_events(*store, 100);
    ASSERT_TRUE(eventually([&] { return published() == 200; }));

    let_pass(1500);  // the second one is there by now, and waits
    append_events(*store, 50);
    ASSERT_TRUE(eventually([&] { return published() == 250; }));
    const auto killed = Environment::system().clock.steady();
    first->kill();
    append_events(*store, 50);
    ASSERT_TRUE(eventually([&] { return published() >= 300; }));
    EXPECT_LE(Environment::system().clock.steady() - killed, std::chrono::seconds{5});
    EXPECT_EQ(differences(*store, topic), "");
    EXPECT_TRUE(second->running());
}

TEST_F(RelaysInProcesses, CannotMoveACursorAfterTheyWerePaused) {
    auto first = start();
    append_events(*store, 2000);
    ASSERT_TRUE(eventually([&] { return published() > 0; }));
    first->signal(SIGSTOP);
    auto second = start();
    append_events(*store, 200);
    ASSERT_TRUE(eventually([&] { return published() >= 2200 && cursor() == head(); }));
    const std::int64_t before = cursor();
    first->signal(SIGCONT);
    append_events(*store, 200);
    ASSERT_TRUE(eventually([&] { return cursor() == head(); }));
    EXPECT_EQ(cursor(), before + 200);
    EXPECT_EQ(differences(*store, topic), "");

    second->kill();  // the paused one takes over in its turn
    append_events(*store, 200);
    EXPECT_TRUE(eventually([&] { return cursor() == head(); }));
    EXPECT_EQ(differences(*store, topic), "");
    EXPECT_TRUE(first->running());
}

TEST_F(RelaysInProcesses, SaveNoCursorOnceTheLeaseIsAnothers) {
    const auto cursors = open_cursors(*store, "relay", std::chrono::seconds{3});
    ASSERT_TRUE(cursors->hold());
    Progress all{std::vector<Cursor>(4), {}};
    all.cursors[0].n = 7;
    cursors->save(topic.log(), all);
    auto database = Database::open(url);
    auto sql = database->begin(SqlMode::write);
    ASSERT_EQ(sql->exec("update lease set owner = 'another', epoch = epoch + 1"), 1);
    sql->commit();
    all.cursors[0].n = 3;
    EXPECT_THROW(cursors->save(topic.log(), all), Fenced);
    EXPECT_EQ(cursor(), 7);
}

}  // namespace
}  // namespace recount::test
