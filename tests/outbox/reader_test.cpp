#include "kafka/reader.hpp"

#include <recount/core/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/admin.hpp"
#include "outbox/mock_cluster.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// Kafka's protocol numbers.
constexpr int leader_not_available = 5;
constexpr int not_leader = 6;
constexpr int topic_authorization_failed = 29;

constexpr Duration patience = std::chrono::seconds{20};
constexpr Duration little_patience = std::chrono::milliseconds{200};

/// What brokers answer while a topic is new to them, or changes its leader.
struct ReaderOnABadCluster : testing::Test {
    MockCluster cluster{1};
    KafkaTopic topic = cluster.make_topic("shop", 2);
    kafka::Settings settings = kafka::client_settings(topic);
    kafka::Reader reader{settings, topic.log()};

    /// As soon as the broker was asked, or a little later.
    std::unique_ptr<Task> mend_soon() {
        return Environment::system().scheduler.spawn("mend", [&](std::stop_token) {
            Environment::system().scheduler.sleep(little_patience);
            cluster.fail_topic(topic.log(), 0);
        });
    }
};

TEST_F(ReaderOnABadCluster, AsksAgainWhereAPartitionEndsWhileItsLeaderChanges) {
    EXPECT_EQ(reader.watermarks(1, patience).high, 0);
    cluster.fail_list_offsets({not_leader, leader_not_available, 0, not_leader});
    EXPECT_EQ(reader.watermarks(1, patience).high, 0);
}

TEST_F(ReaderOnABadCluster, DoesNotAskForEver) {
    cluster.fail_list_offsets(std::vector<int>(1000, not_leader));
    EXPECT_THAT([&] { reader.watermarks(0, little_patience); },
                ThrowsMessage<Unavailable>(HasSubstr("does not tell its offsets")));
}

TEST_F(ReaderOnABadCluster, WaitsForALeaderToTellHowManyPartitionsThereAre) {
    cluster.fail_topic(topic.log(), leader_not_available);
    EXPECT_THROW(reader.partitions(little_patience), Unavailable);
    const auto mending = mend_soon();
    EXPECT_EQ(reader.partitions(patience), 2);
    mending->join();
}

TEST_F(ReaderOnABadCluster, SaysThatATopicMayNotBeLookedAt) {
    cluster.fail_topic(topic.log(), topic_authorization_failed);
    EXPECT_THAT([&] { reader.partitions(patience); },
                ThrowsMessage<Mismatch>(HasSubstr("TOPIC_AUTHORIZATION_FAILED")));
}

TEST_F(ReaderOnABadCluster, TellsATopicWithoutALeaderFromOneThatIsNotThere) {
    kafka::Admin admin{settings};
    EXPECT_TRUE(admin.ready(topic.log(), patience));
    cluster.fail_topic(topic.log(), leader_not_available);
    EXPECT_THROW(admin.describe(topic.log(), little_patience), Unavailable);
    const auto mending = mend_soon();
    EXPECT_TRUE(admin.ready(topic.log(), patience));
    mending->join();
}

}  // namespace
}  // namespace recount::test
