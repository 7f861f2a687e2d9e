#include "outbox/messages_on_kafka.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(MessagesOfADurableStore, FillATopicThatWasMadeAnew) {
    append_events(*store, 100);
    make_relay()->catch_up();
    make_topic_anew(3);
    EXPECT_TRUE(eventually([&] {
        message_of_catch_up();
        return compare_messages(*store, mapping, topic).wrong.empty();
    }));
    expect_exact();
    append_events(*store, 100);
    EXPECT_EQ(make_relay()->catch_up(), 150);
    expect_exact();
}

TEST_F(MessagesOfADurableStore, AreSentAgainWhenTheirTopicWasAwayForAWhile) {
    append_events(*store, 100);
    MessageRelay relay{*store, mapping, {.topic = topic, .save = std::chrono::milliseconds{20}}};
    std::string why;
    auto running = store->environment().scheduler.spawn(
        "relay", [&](std::stop_token stop) { why = relay.run(stop); });
    EXPECT_TRUE(eventually([&] { return compare_messages(*store, mapping, topic).wrong.empty(); }));
    const auto& failures = store->environment().metrics.counter("recount_relay_failures_total", "",
                                                                {{"topic", topic.name}});
    const auto before = failures.value();
    delete_topic(topic, topic.name);
    EXPECT_TRUE(eventually([&] { return failures.value() > before; })) << "nobody noticed";
    make_topic_anew(3);
    EXPECT_TRUE(eventually([&] { return compare_messages(*store, mapping, topic).wrong.empty(); }));
    running->request_stop();
    running->join();
    EXPECT_EQ(why, "asked to stop");
    expect_exact();
}

TEST_F(MessagesOfADurableStore, AreRefusedByATopicThatLostSome) {
    append_events(*store, 100);
    make_relay()->catch_up();
    make_topic_anew(3);
    produce_foreign(topic, topic.name, 0, "k", "v");
    append_events(*store, 10);
    EXPECT_THAT(message_of_catch_up(), AllOf(HasSubstr("confirmed messages are gone"),
                                             HasSubstr("a topic of another name")));
}

/// What was on its way when the topic was made anew may fill it up to where the old one ended.
TEST_F(MessagesOfADurableStore, AreRefusedByATopicThatHoldsOthersInTheirPlace) {
    std::vector<std::vector<RawRecord>> old;
    append_events(*store, 300);
    make_relay()->catch_up();
    for (std::int32_t number = 0; number < 3; ++number) {
        old.push_back(read_raw(topic, topic.name, number));
    }
    make_topic_anew(3);
    for (std::int32_t number = 0; number < 3; ++number) {
        auto& records = old[static_cast<std::size_t>(number)];
        std::rotate(records.begin(), records.begin() + 1, records.end());
        produce_again(topic, topic.name, number, records);
    }
    append_events(*store, 10);
    EXPECT_THAT(message_of_catch_up(), AllOf(HasSubstr("holds another record at offset"),
                                             HasSubstr("confirmed messages are gone"),
                                             HasSubstr("make the topic anew, empty")));
    make_topic_anew(3);
    EXPECT_TRUE(eventually([&] {
        message_of_catch_up();
        return compare_messages(*store, mapping, topic).wrong.empty();
    }));
    expect_exact();
}

TEST_F(MessagesOfADurableStore, GoOnWhereRetentionTookTheLastOnes) {
    append_events(*store, 100);
    make_relay()->catch_up();
    for (std::int32_t number = 0; number < 3; ++number) {
        delete_records(topic, topic.name, number,
                       static_cast<std::int64_t>(read_raw(topic, topic.name, number).size()));
        produce_foreign(topic, topic.name, number, "k", "v");
    }
    append_events(*store, 100);
    EXPECT_EQ(make_relay()->catch_up(), 150);
}

TEST_F(MessagesOfADurableStore, AreRefusedByATopicWithMorePartitions) {
    append_events(*store, 100);
    make_relay()->catch_up();
    add_partitions(topic, topic.name, 4);
    EXPECT_TRUE(eventually([&] {
        return message_of_catch_up().find("has 4 partitions, expected 3") != std::string::npos;
    }));
}

}  // namespace
}  // namespace recount::test
