#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outbox/relay_in_trouble.hpp"

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(RelayInTrouble, NamesTheEventThatIsTooLarge) {
    delete_topic(topic, topic.log());
    create_plain_topic(topic, topic.log(), 2,
                       {{"retention.ms", "-1"}, {"max.message.bytes", "20000"}});
    append_events(*store, 1, 1, "thing", 30'000);
    EXPECT_THAT(message_of_catch_up(relay), HasSubstr("max.message.bytes"));  // at the check
    Relay lenient{*store, {.topic = topic, .record_bytes = 20'000}};
    EXPECT_THAT(message_of_catch_up(lenient),
                AllOf(HasSubstr("position"), HasSubstr("max.message.bytes")));
}

TEST_F(RelayInTrouble, RefusesATopicThatIsTooSmallForItsStoresLimits) {
    const AppendLimits more{.event_bytes = 3 << 20, .append_bytes = 8 << 20};
    const auto large = open_store("memory:", {.partitions = 2, .limits = more});
    append_events(*large, 1);
    const auto usual = own_topic_for(*large);
    Relay refused{*large, {.topic = usual}};
    EXPECT_THAT(message_of_catch_up(refused),
                AllOf(HasSubstr("max.message.bytes=1052672, expected 3170304"),
                      HasSubstr("--entity-name " + usual.log() +
                                " --add-config max.message.bytes=3170304")));

    const auto wide = own_topic();
    create_topics(wide, {.partitions = 2, .record_bytes = largest_record(large->limits())});
    append_events(*large, 2, 1, "thing", more.event_bytes - 16);
    EXPECT_EQ((Relay{*large, {.topic = wide}}).catch_up(), 3);
    EXPECT_EQ(differences(*large, wide), "");
    KafkaLog log{{.topic = wide}};
    EXPECT_EQ(differences(*large, log), "");
}

TEST_F(RelayInTrouble, PublishesTheLargestEventThatTheStoreTakes) {
    append_events(*store, 3, 1, "thing", AppendLimits{}.event_bytes - 16);
    EXPECT_EQ(relay.catch_up(), 3);
    EXPECT_EQ(differences(*store, topic), "");
}

TEST_F(RelayInTrouble, PublishesTheLargestRecordToATopicOfKafkasOwnSize) {
    const KafkaTopic usual = own_topic();
    create_plain_topic(usual, usual.log(), 2, {{"retention.ms", "-1"}});
    create_plain_topic(usual, usual.heads(), 1, {{"cleanup.policy", "compact"}});
    static_cast<void>(accepted(store->append(largest_append())));
    EXPECT_EQ((Relay{*store, {.topic = usual, .source = largest_source()}}).catch_up(), 1);
    EXPECT_EQ(differences(*store, usual), "");
    EXPECT_THROW((Relay{*store, {.topic = usual, .source = largest_source() + "s"}}).catch_up(),
                 InvalidArgument);
}

}  // namespace
}  // namespace recount::test
