#include <recount/core/error.hpp>
#include <recount/eventstore/sql.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <csignal>

#include "outbox/child.hpp"
#include "outbox/kit.hpp"
#include "outbox/message_oracle.hpp"
#include "outbox/own_broker.hpp"
#include "outbox/public_things.hpp"
#include "support/eventually.hpp"
#include "support/servers.hpp"

namespace recount::test {
namespace {

const MessageMapping mapping = messages<PublicThings>();

struct MessageRelaysInProcesses : testing::Test {
    std::string url = postgres_url_with_own_schema();
    std::unique_ptr<EventStore> store = open_store(url, {.partitions = 4});
    KafkaTopic topic = own_message_topic();

    std::unique_ptr<Child> start(const std::string& lease_ms = "3000") const {
        return std::make_unique<Child>(std::vector<std::string>{
            MESSAGE_RELAY_CHILD, url, topic.brokers, topic.name, lease_ms});
    }
    Messages look(bool complete = true) {
        return compare_messages(*store, mapping, topic, 3, complete);
    }
    bool exact() { return look().wrong.empty(); }
    std::int64_t cursor() {
        try {
            auto database = Database::open(url);
            auto sql = database->begin(SqlMode::snapshot);
            return sql->query("select coalesce(sum(n), 0)::bigint from relay_cursor").integer(0, 0);
        } catch (const Error&) {
            return 0;  // the table is there once a relay was
        }
    }
    void let_pass(std::uint64_t milliseconds) {
        eventually([] { return false; }, std::chrono::milliseconds{milliseconds});
    }
};

TEST_F(MessageRelaysInProcesses, LoseNothingHoweverOftenTheyAreKilled) {
    auto appending = store->environment().scheduler.spawn("append", [&](std::stop_token stop) {
        do {
            append_events(*store, 40);
        } while (store->environment().scheduler.sleep(std::chrono::milliseconds{20}, stop));
    });
    constexpr int kills = 9;
    for (int round = 0; round < kills; ++round) {
        const std::int64_t before = cursor();
        append_events(*store, 1000);
        auto child = start("300");
        // At any moment of its life: while it starts, while it sends, after its cursor moved.
        if (round % 3 == 0) {
            let_pass(Environment::system().random.next() % 400);
        } else {
            EXPECT_TRUE(eventually([&] { return cursor() > before; }));
            let_pass(Environment::system().random.next() % 900);
        }
        child->kill();
        ASSERT_EQ(look(false).wrong, "") << "round " << round;
    }
    appending->request_stop();
    appending->join();
    MessageRelay last{*store, mapping, {.topic = topic}};
    EXPECT_TRUE(eventually([&] {
        try {
            last.catch_up();
            return true;
        } catch (const Fenced&) {
            return false;  // the lease of the one that was killed
        }
    }));
    const auto found = look();
    EXPECT_EQ(found.wrong, "");
    EXPECT_GT(found.replays, 0);  // else the kills met nothing
    RecordProperty("replays", static_cast<int>(found.replays));
}

TEST_F(MessageRelaysInProcesses, StandByForEachOther) {
    append_events(*store, 100);
    auto first = start();
    ASSERT_TRUE(eventually([&] { return exact(); }));
    auto second = start();
    let_pass(1500);  // the second one is there by now, and waits
    append_events(*store, 100);
    ASSERT_TRUE(eventually([&] { return exact(); }));
    EXPECT_EQ(look().replays, 0);

    const auto killed = Environment::system().clock.steady();
    first->kill();
    append_events(*store, 50);
    ASSERT_TRUE(eventually([&] { return exact(); }));
    EXPECT_LE(Environment::system().clock.steady() - killed, std::chrono::seconds{5});
    EXPECT_TRUE(second->running());
}

TEST_F(MessageRelaysInProcesses, CannotMoveACursorAfterTheyWerePaused) {
    auto first = start();
    append_events(*store, 2000);
    ASSERT_TRUE(eventually([&] { return cursor() > 0; }));
    first->signal(SIGSTOP);
    auto second = start();
    append_events(*store, 200);
    ASSERT_TRUE(eventually([&] { return exact() && cursor() == 2200; }));
    first->signal(SIGCONT);
    append_events(*store, 200);
    ASSERT_TRUE(eventually([&] { return exact() && cursor() == 2400; }));
    second->kill();  // the paused one takes over in its turn
    append_events(*store, 200);
    EXPECT_TRUE(eventually([&] { return exact(); })) << look().wrong;
    EXPECT_TRUE(first->running());
}

TEST(MessagesOfABrokerThatIsStopped, ArriveOnceItIsBack) {
    OwnBroker broker;
    const auto store = open_store("memory:", {.partitions = 4});
    const KafkaTopic topic{.brokers = broker.brokers(), .name = "public"};
    create_plain_topic(topic, topic.name, 3);
    MessageRelay relay{*store, mapping, {.topic = topic}};
    std::string why;
    auto relaying =
        store->environment().scheduler.spawn("relay", [&](auto stop) { why = relay.run(stop); });
    const auto wrong = [&](bool complete) {
        try {
            return compare_messages(*store, mapping, topic, 3, complete).wrong;
        } catch (const std::exception& error) {
            return std::string{error.what()};
        }
    };
    for (int round = 0; round < 2; ++round) {
        append_events(*store, 500);
        ASSERT_TRUE(eventually([&] { return wrong(true).empty(); })) << wrong(true);
        append_events(*store, 3000);  // some are on their way when it ends
        broker.kill();
        append_events(*store, 500);
        broker.start();
        EXPECT_TRUE(eventually([&] { return wrong(true).empty(); })) << wrong(true);
    }
    relaying->request_stop();
    relaying->join();
    EXPECT_EQ(why, "asked to stop");
}

}  // namespace
}  // namespace recount::test
