#include "publisher.hpp"

#include <recount/core/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "kafka/admin.hpp"
#include "outbox/kit.hpp"
#include "outbox/mock_cluster.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

// Kafka's protocol numbers.
constexpr int leader_not_available = 5;
constexpr int not_leader = 6;
constexpr int request_timed_out = 7;
constexpr int not_enough_replicas = 19;
constexpr int topic_authorization_failed = 29;

struct PublisherOnABadCluster : testing::Test {
    MockCluster cluster;
    std::unique_ptr<EventStore> store = open_store("memory:", {.partitions = 2});
    KafkaTopic topic = cluster.make_topic("shop", 2);
    RelayOptions options{.topic = topic, .broker_timeout = std::chrono::seconds{20}};
    std::vector<Cursor> cursors{2};

    /// Publishes all there is, and begins anew from the cursors after each fault, as the relay
    /// does.
    int publish_all(int most_faults = 20) {
        int faults = 0;
        while (faults <= most_faults) {
            try {
                Publisher publisher{*store, options, cursors};
                const auto keep = [&] { cursors = publisher.confirmed(); };
                try {
                    while (!publisher.covers(store->heads())) {
                        if (publisher.send() != Publisher::Sent::some) {
                            publisher.poll(std::chrono::milliseconds{5});
                        }
                        publisher.refresh_heads();
                        keep();
                    }
                    return faults;
                } catch (const Unavailable&) {
                    keep();
                    throw;
                }
            } catch (const Unavailable&) {
                ++faults;
            }
        }
        return faults;
    }
    void expect_exact(std::int64_t expected_replays = 0) {
        std::int64_t replays = 0;
        EXPECT_EQ(differences(*store, topic, {}, &replays), "");
        EXPECT_EQ(replays, expected_replays);
    }
};

TEST_F(PublisherOnABadCluster, GetsOverErrorsThatPass) {
    append_events(*store, 3000);
    cluster.fail_produce({not_leader, leader_not_available, request_timed_out, not_enough_replicas,
                          request_timed_out});
    EXPECT_EQ(publish_all(), 0);
    expect_exact();
}

TEST_F(PublisherOnABadCluster, BeginsAnewAfterADeliveryThatFailed) {
    append_events(*store, 3000);
    cluster.fail_produce({0, topic_authorization_failed});
    EXPECT_GE(publish_all(), 1);
    EXPECT_EQ(differences(*store, topic), "");
}

TEST_F(PublisherOnABadCluster, FollowsTheLeader) {
    append_events(*store, 500);
    cluster.lead(topic.log(), 0, 1);
    cluster.lead(topic.log(), 1, 2);
    EXPECT_EQ(publish_all(), 0);
    append_events(*store, 500);
    cluster.lead(topic.log(), 0, 3);
    cluster.take_down(1);
    EXPECT_EQ(publish_all(), 0);
    cluster.bring_up(1);
    expect_exact();
}

TEST_F(PublisherOnABadCluster, WaitsForABrokerThatIsGone) {
    append_events(*store, 500);
    for (const std::int32_t partition : {0, 1}) cluster.lead(topic.log(), partition, 2);
    Publisher publisher{*store, options, cursors};
    cluster.take_down(2);
    publisher.send();
    append_events(*store, 500);
    eventually(
        [&] {
            publisher.refresh_heads();
            publisher.send();
            publisher.poll(std::chrono::milliseconds{10});
            return false;
        },
        std::chrono::milliseconds{1500});
    EXPECT_TRUE(publisher.in_flight());
    EXPECT_GT(publisher.backlog(), 0);
    cluster.bring_up(2);
    EXPECT_TRUE(eventually([&] {
        publisher.send();
        publisher.poll(std::chrono::milliseconds{10});
        return publisher.covers(store->heads());
    }));
    expect_exact();
}

TEST_F(PublisherOnABadCluster, SendsOtherPartitionsBesideALargeBacklogOfOneWithoutLeader) {
    cluster.lead(topic.log(), 0, 1);
    cluster.lead(topic.log(), 1, 2);
    append_events(*store, 40);
    Publisher publisher{*store, options, cursors};
    const auto send_until = [&](const auto& done) {
        return eventually([&] {
            publisher.refresh_heads();
            publisher.send();
            publisher.poll(std::chrono::milliseconds{5});
            return done();
        });
    };
    ASSERT_TRUE(send_until([&] { return publisher.covers(store->heads()); }));
    cluster.take_down(2);
    const auto small = store->heads()[1].n;
    constexpr std::size_t payload = 900'000;
    append_events(*store, 400, 20, "thing", payload);
    const auto large = static_cast<std::size_t>(store->heads()[1].n - small);
    ASSERT_GT(large * payload, kafka::queue_bytes * 5 / 4) << "the whole queue and more";
    const auto first_is_sent = [&] { return publisher.confirmed()[0].n == store->heads()[0].n; };
    EXPECT_TRUE(send_until(first_is_sent));
    append_events(*store, 40);
    EXPECT_TRUE(send_until(first_is_sent));
    EXPECT_LT(publisher.confirmed()[1].n, store->heads()[1].n);
    cluster.bring_up(2);
    EXPECT_TRUE(send_until([&] { return publisher.covers(store->heads()); }));
}

TEST_F(PublisherOnABadCluster, NeverGuessesWhatBecameOfRecordsOnTheirWay) {
    append_events(*store, 1000);
    {
        Publisher publisher{*store, options, cursors};
        EXPECT_TRUE(eventually([&] {
            publisher.send();
            publisher.poll(std::chrono::milliseconds{5});
            cursors = publisher.confirmed();
            return cursors[0].n > 0 && cursors[1].n > 0;
        }));
        append_events(*store, 500);
        publisher.refresh_heads();
        while (publisher.send() == Publisher::Sent::some) {
        }
        // The records arrive; it never hears of that.
        EXPECT_TRUE(eventually([&] { return differences(*store, topic) == ""; }));
    }
    EXPECT_LE(cursors[0].n + cursors[1].n, 1000);
    EXPECT_EQ(publish_all(), 0);
    expect_exact();
}

TEST_F(PublisherOnABadCluster, CountsNothingBehindADeliveryThatFailed) {
    append_events(*store, 200);
    Publisher publisher{*store, options, cursors};
    cluster.fail_produce({topic_authorization_failed});
    EXPECT_THROW(
        {
            for (int round = 0; round < 1000; ++round) {
                publisher.send();
                publisher.poll(std::chrono::milliseconds{10});
            }
        },
        Unavailable);
    const auto confirmed = publisher.confirmed();
    for (std::int32_t partition = 0; partition < 2; ++partition) {
        const auto there = read_raw(topic, topic.log(), partition);
        EXPECT_LE(confirmed[static_cast<std::size_t>(partition)].n,
                  static_cast<std::int64_t>(there.size()));
    }
}

TEST_F(PublisherOnABadCluster, KeepsNoQueueOfBeats) {
    Publisher publisher{*store, options, cursors};
    cluster.lead(topic.heads(), 0, -1);
    for (int count = 0; count < 50; ++count) {
        publisher.beat(store->heads(), store->environment().clock.now());
        publisher.poll(std::chrono::milliseconds{2});
    }
    cluster.lead(topic.heads(), 0, 1);
    const auto beats = [&] { return read_raw(topic, topic.heads(), 0).size(); };
    EXPECT_TRUE(eventually([&] {
        publisher.poll(std::chrono::milliseconds{5});
        return beats() == 1;
    }));
    EXPECT_TRUE(eventually([&] {
        publisher.beat(store->heads(), store->environment().clock.now());
        publisher.poll(std::chrono::milliseconds{5});
        return beats() > 1;
    }));
}

TEST_F(PublisherOnABadCluster, IsNotToldThatATopicIsMissingWhichItMayNotLookAt) {
    kafka::Admin admin{kafka::client_settings(topic)};
    cluster.fail_topic(topic.log(), topic_authorization_failed);
    EXPECT_THAT([&] { static_cast<void>(admin.describe(topic.log(), std::chrono::seconds{5})); },
                testing::ThrowsMessage<Unavailable>(testing::HasSubstr("allow this client")));
}

/// By which each look at it takes a while.
struct SlowClock : Clock {
    Timestamp now() override { return Environment::system().clock.now(); }
    std::chrono::nanoseconds steady() override { return std::chrono::milliseconds{ticks += 40}; }
    std::atomic<std::int64_t> ticks = 0;
};

TEST(PublisherOfManyPartitions, SendsForAWhileOnlyAndGoesOnWhereItWas) {
    constexpr std::int32_t partitions = 32;
    MockCluster cluster;
    const auto topic = cluster.make_topic("many", partitions);
    SlowClock clock;
    Environment& system = Environment::system();
    Environment slow{clock, system.random, system.scheduler, system.metrics};
    const auto store = open_store("memory:", {.partitions = partitions, .environment = &slow});
    append_events(*store, 2000, 100);
    const RelayOptions options{.topic = topic, .broker_timeout = std::chrono::hours{1}};
    Publisher publisher{*store, options, std::vector<Cursor>(partitions)};
    EXPECT_EQ(publisher.send(), Publisher::Sent::some);
    const Positions sent = publisher.sent();
    EXPECT_GT(sent.sum(), 0);
    EXPECT_EQ(std::count_if(sent.values().begin(), sent.values().end(),
                            [](std::int64_t n) { return n == 0; }),
              partitions - 1)
        << "the time was over after the first";
    EXPECT_TRUE(eventually([&] {
        publisher.send();
        publisher.poll(std::chrono::milliseconds{1});
        return publisher.covers(store->heads());
    }));
    EXPECT_EQ(differences(*store, topic), "");
}

}  // namespace
}  // namespace recount::test
