#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outbox/kit.hpp"

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Configs = std::vector<std::pair<std::string, std::string>>;

const Configs fine = {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}};

std::string complaint(const KafkaTopic& topic, const TopicRules& rules = {.partitions = 2}) {
    try {
        check_topics(topic, rules);
    } catch (const Mismatch& error) {
        return error.what();
    }
    return "no complaint";
}

KafkaTopic with_log(const Configs& configs, std::int32_t partitions = 2) {
    auto topic = own_topic();
    create_plain_topic(topic, topic.log(), partitions, configs);
    create_plain_topic(topic, topic.heads(), 1, {{"cleanup.policy", "compact"}});
    return topic;
}

TEST(TopicsMadeByUs, AreFine) {
    const auto topic = own_topic();
    create_topics(topic, {.partitions = 2});
    create_topics(topic, {.partitions = 2});  // a second time changes nothing
    EXPECT_EQ(complaint(topic), "no complaint");
}

TEST(ATopicThatIsNotThere, IsNamedAndNotMade) {
    const auto topic = own_topic();
    EXPECT_THAT(complaint(topic), AllOf(HasSubstr(topic.log()), HasSubstr("topic create")));
    EXPECT_THAT(complaint(topic), HasSubstr("does not exist"));
}

TEST(ATopicThatIsNotThere, IsLookedForWhileSomebodyMakesIt) {
    const auto topic = own_topic();
    const auto making = Environment::system().scheduler.spawn(
        "make", [&](const std::stop_token&) { create_topics(topic, {.partitions = 2}); });
    EXPECT_NO_THROW(check_topics(topic, {.partitions = 2, .timeout = std::chrono::minutes{4}}));
}

TEST(ALogTopic, HasAsManyPartitionsAsTheStore) {
    EXPECT_THAT(complaint(with_log(fine, 3)),
                AllOf(HasSubstr("partitions=3, expected 2"), HasSubstr("let the relay fill it")));
}

TEST(ALogTopic, IsNotCompacted) {
    EXPECT_THAT(complaint(with_log({{"cleanup.policy", "compact"}, {"retention.ms", "-1"}})),
                AllOf(HasSubstr("cleanup.policy=compact"), HasSubstr("kafka-configs.sh"),
                      HasSubstr("--add-config cleanup.policy=delete")));
}

TEST(ALogTopic, KeepsEverythingUnlessAllowedNotTo) {
    const auto topic = with_log({{"cleanup.policy", "delete"}, {"retention.ms", "604800000"}});
    EXPECT_THAT(complaint(topic), HasSubstr("--add-config retention.ms=-1"));
    EXPECT_EQ(complaint(topic, {.partitions = 2, .allow_retention = true}), "no complaint");
    EXPECT_THAT(complaint(with_log({{"retention.ms", "-1"}, {"retention.bytes", "1000000"}})),
                HasSubstr("--add-config retention.bytes=-1"));
}

TEST(ALogTopic, TakesTheLargestEvents) {
    EXPECT_THAT(complaint(with_log({{"retention.ms", "-1"}, {"max.message.bytes", "100000"}})),
                AllOf(HasSubstr("max.message.bytes=100000, expected 1052672"),
                      HasSubstr("--add-config max.message.bytes=")));
}

TEST(ALogTopic, HasNoUncleanElections) {
    EXPECT_THAT(
        complaint(with_log({{"retention.ms", "-1"}, {"unclean.leader.election.enable", "true"}})),
        HasSubstr("unclean.leader.election.enable=false"));
}

TEST(ALogTopic, TakesEventsOfAnyAgeWithTheirOwnTime) {
    EXPECT_THAT(complaint(with_log(
                    {{"retention.ms", "-1"}, {"message.timestamp.before.max.ms", "604800000"}})),
                HasSubstr("message.timestamp.before.max.ms=9223372036854775807"));
    EXPECT_THAT(
        complaint(with_log({{"retention.ms", "-1"}, {"message.timestamp.type", "LogAppendTime"}})),
        HasSubstr("message.timestamp.type=CreateTime"));
}

TEST(TheHeadsTopic, AsksForNoMoreReplicasInSyncThanThereAre) {
    const auto topic = own_topic();
    create_plain_topic(topic, topic.log(), 2, fine);
    create_plain_topic(topic, topic.heads(), 1,
                       {{"cleanup.policy", "compact"}, {"min.insync.replicas", "2"}});
    EXPECT_THAT(complaint(topic), AllOf(HasSubstr(topic.heads() + " has min.insync.replicas=2"),
                                        HasSubstr("expected 1")));
}

TEST(TheHeadsTopic, IsCompactedAndOfOnePartition) {
    auto topic = own_topic();
    create_plain_topic(topic, topic.log(), 2, fine);
    EXPECT_THAT(complaint(topic), HasSubstr(topic.heads()));
    create_plain_topic(topic, topic.heads(), 1);
    EXPECT_THAT(complaint(topic), HasSubstr("cleanup.policy=compact"));
    topic = own_topic();
    create_plain_topic(topic, topic.log(), 2, fine);
    create_plain_topic(topic, topic.heads(), 2, {{"cleanup.policy", "compact"}});
    EXPECT_THAT(complaint(topic), HasSubstr("partitions=2, expected 1"));
}

TEST(ALogTopic, IsNotMadeOverOneThatDiffers) {
    const auto topic = own_topic();
    create_plain_topic(topic, topic.log(), 2,
                       {{"cleanup.policy", "compact"}, {"retention.ms", "1000"}});
    try {
        create_topics(topic, {.partitions = 2});
        ADD_FAILURE() << "made topics beside one that loses events";
    } catch (const Mismatch& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("cleanup.policy=compact"),
                                        HasSubstr("and 1 more: recount topic check")));
    }
    const auto problems = inspect_topics(topic, {.partitions = 2});
    ASSERT_FALSE(problems.empty());
    EXPECT_EQ(problems.back().topic, topic.heads());  // still missing
    EXPECT_EQ(problems.back().setting, "");
}

TEST(ALogTopic, HasReplicasEnoughForThoseThatMustBeInSync) {
    EXPECT_THAT(
        complaint(with_log({{"retention.ms", "-1"}, {"min.insync.replicas", "2"}})),
        AllOf(HasSubstr("refuse every record"), HasSubstr("--add-config min.insync.replicas=1")));
    EXPECT_THAT(complaint(with_log(fine), {.partitions = 2, .replication = 3}),
                AllOf(HasSubstr("replication=1, expected 3"), HasSubstr("kafka-reassign")));
    const auto advice = inspect_topics(with_log(fine), {.partitions = 2});
    ASSERT_EQ(advice.size(), 1U);
    EXPECT_EQ(advice[0].setting, "replication");
    EXPECT_TRUE(advice[0].advice);
}

TEST(BrokersThatDoNotAnswer, AreUnavailable) {
    const KafkaTopic topic{.brokers = "127.0.0.1:9", .name = "shop"};
    EXPECT_THROW(check_topics(topic, {.timeout = std::chrono::milliseconds{300}}), Unavailable);
}

}  // namespace
}  // namespace recount::test
