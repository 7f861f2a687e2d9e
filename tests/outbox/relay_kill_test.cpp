#include <recount/core/error.hpp>
#include <recount/eventstore/sql.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <csignal>

#include "outbox/relays_to_kill.hpp"
#include "relay_cursors.hpp"

namespace recount::test {
namespace {

struct RelaysInProcesses : RelaysToKill {
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
};

TEST_F(RelaysInProcesses, LoseNothingHoweverOftenTheyAreKilled) {
    kill_again_and_again(
        {.count = 12, .while_it_starts = 300, .while_it_works = 200}, [&] { return start("300"); },
        [&] { return differences(*store, topic, {.complete = false}); });
    if (HasFatalFailure()) return;
    Relay last{*store, {.topic = topic}};
    catch_up(last);
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

TEST_F(RelaysInProcesses, CanBeRelievedWhenCatchUpFailed) {
    delete_topic(topic, topic.log());
    Relay failed{*store, {.topic = topic, .lease = std::chrono::hours{1}}};
    EXPECT_THROW(failed.catch_up(), Mismatch);
    const auto other = open_store(url);
    append_events(*store, 10);
    Relay another{*other, {.topic = topic, .create_topics = true}};
    another.catch_up();  // Fenced, if the lease were still the first one's
    EXPECT_EQ(differences(*store, topic), "");
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
