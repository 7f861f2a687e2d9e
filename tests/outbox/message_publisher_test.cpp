#include "message_publisher.hpp"

#include <gtest/gtest.h>

#include "outbox/kit.hpp"
#include "outbox/message_oracle.hpp"
#include "outbox/mock_cluster.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

/// Two messages an event, for two partitions of the topic.
const MessageMapping to_both{"to_both", [](const RecordedEvent& event) {
                                 std::vector<Message> made(2);
                                 for (std::size_t index = 0; index < made.size(); ++index) {
                                     made[index].key = index == 0 ? "0" : "1";
                                     made[index].value = *event.payload;
                                 }
                                 return made;
                             }};

struct MessagesForTwoBrokers : testing::Test {
    MockCluster cluster;
    std::unique_ptr<EventStore> store = open_store("memory:", {.partitions = 1});
    KafkaTopic topic = cluster.make_topic("public", 2);
    std::int32_t with_first = partition_of("0", 2).value;

    void SetUp() override {
        topic.name = topic.log();  // the topic's own name
        ASSERT_NE(with_first, partition_of("1", 2).value);
    }
};

TEST_F(MessagesForTwoBrokers, ConfirmAnEventOnceBothHaveIt) {
    cluster.lead(topic.name, with_first, 1);
    cluster.lead(topic.name, 1 - with_first, 2);
    append_events(*store, 10);
    const MessageRelayOptions options{.topic = topic};
    MessagePublisher publisher{*store, to_both, options, {std::vector<Cursor>(1), {}}};
    const auto work = [&] {
        publisher.send();
        publisher.poll(std::chrono::milliseconds{5});
    };
    cluster.take_down(2);
    EXPECT_TRUE(eventually([&] {
        work();
        return read_raw(topic, topic.name, with_first).size() == 2;
    }));
    // The second event's other message waits behind the first one's: order before speed.
    EXPECT_FALSE(eventually(
        [&] {
            work();
            return publisher.confirmed()[0].n > 0;
        },
        std::chrono::milliseconds{500}));
    EXPECT_EQ(publisher.delivered(), 2);
    cluster.bring_up(2);
    EXPECT_TRUE(eventually([&] {
        work();
        return publisher.covers(store->heads());
    }));
    EXPECT_EQ(publisher.delivered(), 20);
    const auto found = compare_messages(*store, to_both, topic, 2);
    EXPECT_EQ(found.wrong, "");
    EXPECT_EQ(found.replays, 0);
}

}  // namespace
}  // namespace recount::test
