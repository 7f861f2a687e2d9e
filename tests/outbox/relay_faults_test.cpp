#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outbox/relay_in_trouble.hpp"
#include "publisher.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(RelayInTrouble, FillsATopicThatWasMadeAnew) {
    append_events(*store, 100);
    relay.catch_up();
    make_log_anew();
    append_events(*store, 10);
    EXPECT_TRUE(eventually([&] {
        message_of_catch_up(relay);  // the first try finds out, having sent some
        return differences(*store, topic, {.repaired = true}) == "";
    }));
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
}

TEST_F(RelayInTrouble, NoticesATopicMadeAnewEvenWhenIdle) {
    append_events(*store, 100);
    std::string why;
    auto running = store->environment().scheduler.spawn(
        "relay", [&](std::stop_token stop) { why = relay.run(stop); });
    EXPECT_TRUE(eventually([&] { return differences(*store, topic) == ""; }));
    make_log_anew();
    EXPECT_TRUE(eventually([&] { return differences(*store, topic) == ""; }));
    running->request_stop();
    running->join();
    EXPECT_EQ(why, "asked to stop");
}

TEST_F(RelayInTrouble, RepairsAHoleByGoingOnFromThere) {
    append_events(*store, 60, 1);
    relay.catch_up();
    std::int32_t used = read_raw(topic, topic.log(), 0).empty() ? 1 : 0;
    auto records = read_raw(topic, topic.log(), used);
    make_log_anew();
    std::vector<RawRecord> holed{records.begin(), records.begin() + 20};
    holed.insert(holed.end(), records.begin() + 30, records.end());
    produce_again(topic, topic.log(), used, holed);
    Relay fresh{*store, {.topic = topic}};
    EXPECT_EQ(fresh.catch_up(), 40);
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
}

TEST_F(RelayInTrouble, GoesOnWhereRecordsWereDeleted) {
    append_events(*store, 100);
    relay.catch_up();
    for (std::int32_t partition : {0, 1}) {
        delete_records(topic, topic.log(), partition,
                       static_cast<std::int64_t>(read_raw(topic, topic.log(), partition).size()));
    }
    append_events(*store, 100);
    EXPECT_EQ(relay.catch_up(), 100);
    KafkaLog log{{.topic = topic, .store = store.get()}};
    EXPECT_EQ(differences(*store, log), "");
}

TEST_F(RelayInTrouble, DoesNotMindForeignRecordsAndTransactions) {
    append_events(*store, 50);
    relay.catch_up();
    for (std::int32_t partition : {0, 1}) {
        produce_foreign(topic, topic.log(), partition, "k", "v");
        produce_in_transaction(topic, topic.log(), partition, 30, false);
    }
    append_events(*store, 50);
    EXPECT_EQ(relay.catch_up(), 50);
    Relay fresh{*store, {.topic = topic}};
    EXPECT_EQ(fresh.catch_up(), 0);
    EXPECT_EQ(differences(*store, topic), "");
}

TEST_F(RelayInTrouble, SendsNothingAgainBehindAnOpenTransaction) {
    append_events(*store, 20);
    relay.catch_up();
    leave_transaction_open(topic, topic.log(), 0);
    Relay beating{*store, {.topic = topic, .beat = std::chrono::milliseconds{20}}};
    auto running = store->environment().scheduler.spawn(
        "relay", [&](std::stop_token stop) { beating.run(stop); });
    append_events(*store, 40);
    eventually([] { return false; }, std::chrono::seconds{1});  // while it looks back
    running->request_stop();
    running->join();
    produce_in_transaction(topic, topic.log(), 0, 1, false);  // ends the open one
    std::int64_t replays = -1;
    EXPECT_EQ(differences(*store, topic, {}, &replays), "");
    EXPECT_EQ(replays, 0);
}

TEST_F(RelayInTrouble, DoesNotMindItsOwnRecordsInAWrongPartition) {
    append_events(*store, 50);
    relay.catch_up();
    produce_again(topic, topic.log(), 1, read_raw(topic, topic.log(), 0));
    append_events(*store, 50);
    EXPECT_EQ(relay.catch_up(), 50);
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
    EXPECT_THAT(log.foreign().last, HasSubstr("belongs to another partition"));
    Relay fresh{*store, {.topic = topic}};
    EXPECT_EQ(fresh.catch_up(), 0);
}

TEST_F(RelayInTrouble, RefusesTheTopicOfAnotherStore) {
    append_events(*store, 20);
    relay.catch_up();
    for (const int its_events : {0, 20, 200}) {
        const auto other = open_store("memory:", {.partitions = 2});
        append_events(*other, its_events);
        Relay stranger{*other, {.topic = topic}};
        EXPECT_THAT(message_of_catch_up(stranger),
                    AllOf(HasSubstr("carries store memory: (" + to_string(store->identity().id)),
                          HasSubstr("a topic name of its own")));
        EXPECT_EQ(stranger.run({}), message_of_catch_up(stranger));
    }
    EXPECT_EQ(differences(*store, topic), "");
}

TEST_F(RelayInTrouble, RefusesItBeforeThatStoreHasAnyEvent) {
    relay.catch_up();
    const auto other = open_store("memory:", {.partitions = 2});
    append_events(*other, 20);
    Relay stranger{*other, {.topic = topic}};
    EXPECT_THAT(message_of_catch_up(stranger), HasSubstr("carries store memory:"));
    append_events(*store, 20);
    EXPECT_EQ(relay.catch_up(), 20);
    EXPECT_EQ(differences(*store, topic), "");
}

/// Its beats may be gone: somebody deleted the topic that held them.
TEST_F(RelayInTrouble, StopsAtTheRecordsOfAnotherStore) {
    append_events(*store, 20);
    relay.catch_up();
    delete_topic(topic, topic.heads());
    ASSERT_TRUE(eventually([&] {
        create_topics(topic, {.partitions = 2});
        return published();
    }));
    const auto other = open_store("memory:", {.partitions = 2});
    append_events(*other, 20);
    Relay stranger{*other, {.topic = topic}};
    EXPECT_THAT(message_of_catch_up(stranger), HasSubstr("differ at position"));
    EXPECT_EQ(differences(*store, topic), "");
}

TEST_F(RelayInTrouble, RefusesPartitionsThatWereAdded) {
    append_events(*store, 20);
    relay.catch_up();
    std::string why;
    auto running = store->environment().scheduler.spawn(
        "relay", [&](std::stop_token stop) { why = relay.run(stop); });
    add_partitions(topic, topic.log(), 3);
    EXPECT_TRUE(eventually([&] {
        Relay fresh{*store, {.topic = topic}};
        return message_of_catch_up(fresh).find("partitions=3, expected 2") != std::string::npos;
    }));
    running->join();  // ends by itself
    EXPECT_THAT(why, AllOf(HasSubstr("3 partitions"), HasSubstr("store's 2")));
    EXPECT_THROW((KafkaLog{{.topic = topic}}), Mismatch);
}

TEST_F(RelayInTrouble, WaitsForItsHeadsTopicWhenThatIsDeleted) {
    relay.catch_up();
    std::string why = "it runs";
    Relay beating{*store, {.topic = topic, .beat = std::chrono::milliseconds{20}}};
    const auto running = store->environment().scheduler.spawn(
        "relay", [&](std::stop_token stop) { why = beating.run(stop); });
    const auto failures = [&] {
        return store->environment()
            .metrics.counter("recount_relay_failures_total", "", {{"topic", topic.name}})
            .value();
    };
    const auto& working =
        store->environment().metrics.gauge("recount_relay_working", "", {{"topic", topic.name}});
    ASSERT_TRUE(eventually([&] { return working.value() == 1; }));  // else it would not begin
    delete_topic(topic, topic.heads());
    ASSERT_TRUE(eventually([&] { return failures() >= 2; }));
    ASSERT_TRUE(eventually([&] {
        create_topics(topic, {.partitions = 2});
        return published();
    }));
    append_events(*store, 10);
    EXPECT_TRUE(eventually([&] { return differences(*store, topic) == ""; }));
    running->request_stop();
    running->join();
    EXPECT_EQ(why, "asked to stop");
}

TEST_F(RelayInTrouble, MakesANewProducerAfterAFatalError) {
    append_events(*store, 2000);
    const RelayOptions options{.topic = topic};
    std::vector<Cursor> cursors(2);
    {
        Publisher publisher{*store, options, cursors};
        publisher.send();
        publisher.poll(std::chrono::milliseconds{5});
        publisher.producer().break_for_test();
        EXPECT_THROW(
            {
                for (int round = 0; round < 1000; ++round) {
                    publisher.send();
                    publisher.poll(std::chrono::milliseconds{10});
                }
            },
            Unavailable);
        cursors = publisher.confirmed();
    }
    EXPECT_EQ(differences(*store, topic, {.complete = false}), "");
    relay.catch_up();
    EXPECT_EQ(differences(*store, topic), "");
}

TEST_F(RelayInTrouble, WaitsForBrokersThatDoNotAnswer) {
    append_events(*store, 5);
    Relay nowhere{*store,
                  {.topic = {.brokers = "127.0.0.1:9", .name = topic.name},
                   .broker_timeout = std::chrono::milliseconds{300}}};
    EXPECT_THROW(nowhere.catch_up(), Unavailable);
    std::string why;
    auto running = store->environment().scheduler.spawn(
        "relay", [&](std::stop_token stop) { why = nowhere.run(stop); });
    running->request_stop();
    running->join();
    EXPECT_EQ(why, "asked to stop");
}

}  // namespace
}  // namespace recount::test
