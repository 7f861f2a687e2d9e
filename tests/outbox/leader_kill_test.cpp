#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include "outbox/kit.hpp"
#include "outbox/own_broker.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

std::string differences_or_error(EventStore& store, const KafkaTopic& topic) {
    try {
        return differences(store, topic);
    } catch (const Error& error) {
        return error.what();
    }
}

TEST(ALeaderOfThreeBrokersKilledUnderLoad, LosesNothingAndDoublesNothing) {
    OwnCluster cluster;
    const auto store = open_store("memory:", {.partitions = 3});
    const KafkaTopic topic{.brokers = cluster.brokers(), .name = "led"};
    create_topics(topic, {.partitions = 3});
    // Brokers learn of topics one after the other.
    ASSERT_TRUE(eventually([&] {
        try {
            check_topics(topic, {.partitions = 3, .replication = 3});  // and two in sync
            return true;
        } catch (const Unavailable&) {
            return false;
        }
    }));
    auto& scheduler = store->environment().scheduler;
    auto appending = scheduler.spawn("append", [&](std::stop_token stop) {
        do {
            append_events(*store, 20);
        } while (scheduler.sleep(std::chrono::milliseconds{20}, stop));
    });
    Relay relay{*store, {.topic = topic}};
    std::string why;
    auto relaying = scheduler.spawn("relay", [&](std::stop_token stop) { why = relay.run(stop); });
    auto& published = store->environment().metrics.counter("recount_relay_published_total",
                                                           "Records confirmed by the brokers",
                                                           {{"topic", topic.name}});
    const auto goes_on = [&](double by) {
        const double before = published.value();
        return eventually([&] { return published.value() > before + by; });
    };

    for (const std::int32_t partition : {0, 1}) {
        ASSERT_TRUE(goes_on(300));
        ASSERT_TRUE(
            eventually([&] { return state_of(topic, topic.log(), partition).in_sync == 3; }));
        const auto leader = state_of(topic, topic.log(), partition).leader;
        cluster.broker(leader).kill();
        ASSERT_TRUE(eventually([&] {
            const auto now = state_of(topic, topic.log(), partition);
            return now.leader != leader && now.leader > 0;
        }));
        EXPECT_TRUE(goes_on(300)) << "without broker " << leader;  // two are enough
        // What a fork would make meanwhile is no weaker.
        create_topics(topic,
                      {.partitions = 3, .incarnation = static_cast<std::size_t>(partition) + 1});
        cluster.broker(leader).launch();
        cluster.await_all();
    }
    for (const std::size_t incarnation : {1, 2}) {
        EXPECT_NO_THROW(check_topics(topic, {.partitions = 3, .replication = 3}, incarnation));
    }
    appending->request_stop();
    appending->join();
    const auto wrong = [&] { return differences_or_error(*store, topic); };
    EXPECT_TRUE(eventually([&] { return wrong().empty(); })) << wrong();
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
    relaying->request_stop();
    relaying->join();
    EXPECT_EQ(why, "asked to stop");
    std::int64_t replays = 0;
    EXPECT_EQ(differences(*store, topic, {}, &replays), "");
    RecordProperty("replays", static_cast<int>(replays));
}

}  // namespace
}  // namespace recount::test
