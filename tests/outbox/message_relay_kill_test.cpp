#include <recount/core/error.hpp>
#include <recount/eventstore/sql.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <csignal>

#include "outbox/message_oracle.hpp"
#include "outbox/own_broker.hpp"
#include "outbox/public_things.hpp"
#include "outbox/relays_to_kill.hpp"

namespace recount::test {
namespace {

const MessageMapping mapping = messages<PublicThings>();

struct MessageRelaysInProcesses : RelaysToKill {
    KafkaTopic topic = own_message_topic();

    std::unique_ptr<Child> start(const std::string& lease_ms = "3000") const {
        return std::make_unique<Child>(std::vector<std::string>{
            MESSAGE_RELAY_CHILD, url, topic.brokers, topic.name, lease_ms});
    }
    Messages look(bool complete = true) {
        return compare_messages(*store, mapping, topic, 3, complete);
    }
    bool exact() { return look().wrong.empty(); }
};

TEST_F(MessageRelaysInProcesses, LoseNothingHoweverOftenTheyAreKilled) {
    kill_again_and_again(
        {.count = 9, .while_it_starts = 400, .while_it_works = 900}, [&] { return start("300"); },
        [&] { return look(false).wrong; });
    if (HasFatalFailure()) return;
    MessageRelay last{*store, mapping, {.topic = topic}};
    catch_up(last);
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
    ASSERT_TRUE(eventually([&] { return cursor() == 2200 && exact(); }));
    first->signal(SIGCONT);
    append_events(*store, 200);
    ASSERT_TRUE(eventually([&] { return cursor() == 2400 && exact(); }));
    second->kill();  // the paused one takes over in its turn
    append_events(*store, 200);
    EXPECT_TRUE(eventually([&] { return cursor() == 2600 && exact(); })) << look().wrong;
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
