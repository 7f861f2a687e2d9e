#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "published_log.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// What a reader must not go past: another history, what does not follow, and what is gone.

TEST_F(PublishedLog, StopsAtAnotherHistoryUnderAKnownPosition) {
    publish(20);
    auto records = raw();
    for (auto& [name, value] : records[14].headers) {
        if (name == "recount-hash") value = std::string(64, 'a');
    }
    produce_again(topic, topic.log(), 0, {records[14]});
    publish(10);
    KafkaLog log{{.topic = topic}};
    EXPECT_THAT(message_of_read(log, 0),
                AllOf(HasSubstr("two events claim position 0:15"), HasSubstr("partition 0")));
    // Whoever asks again is told again, and what was never judged is never given out.
    EXPECT_THAT(message_of_read(log, 20), HasSubstr("two events claim position 0:15"));
    Positions seen;
    seen.set({zero, 20});
    EXPECT_THROW(log.wait(seen, Duration{0}, {}), Divergence);
    EXPECT_EQ(log.read(zero, 19, {.max_events = 1}).events.at(0).hash,
              store->read(zero, 19).events.at(0).hash);
    EXPECT_THAT(message_of_read(log, 20), HasSubstr("two events claim position 0:15"));
}

TEST_F(PublishedLog, StopsAtAnEventThatDoesNotFollow) {
    publish(20);
    auto records = raw();
    relay.reset();
    auto forged = records[19];
    for (auto& [name, value] : forged.headers) {
        if (name == "recount-position") value = "0:21";
    }
    produce_again(topic, topic.log(), 0, {forged});
    KafkaLog log{{.topic = topic}};
    EXPECT_THAT(message_of_read(log, 0), HasSubstr("0:21"));
    EXPECT_THAT(message_of_read(log, 20), HasSubstr("0:21")) << "told again";
}

TEST_F(PublishedLog, StopsAtAPayloadThatWasChanged) {
    publish(20);
    auto records = raw();
    delete_topic(topic, topic.log());
    records[7].value = *records[7].value + "!";
    create_topics(topic, {.partitions = 1});
    produce_again(topic, topic.log(), 0, records);
    KafkaLog log{{.topic = topic}};
    EXPECT_THAT(message_of_read(log, 0), HasSubstr("0:8"));
}

TEST_F(PublishedLog, LooksAheadBeforeItCallsAGap) {
    publish(30);
    auto records = raw();
    delete_topic(topic, topic.log());
    create_topics(topic, {.partitions = 1});
    std::vector<RawRecord> holed{records.begin(), records.begin() + 10};
    holed.insert(holed.end(), records.begin() + 20, records.end());
    produce_again(topic, topic.log(), 0, holed);
    {
        KafkaLog log{{.topic = topic}};
        EXPECT_THAT(message_of_read(log, 0), AllOf(HasSubstr("expected position 0:11"),
                                                   HasSubstr("found 0:21"), HasSubstr("store")));
    }
    produce_again(topic, topic.log(), 0, {records.begin() + 10, records.end()});
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
}

TEST_F(PublishedLog, LooksForNoRecordThatItCannotRead) {
    publish(12);
    auto records = raw();
    delete_topic(topic, topic.log());
    create_topics(topic, {.partitions = 1});
    RawRecord unreadable = records[10];
    std::erase_if(unreadable.headers,
                  [](const auto& one) { return one.first == "recount-incarnation"; });
    std::vector<RawRecord> torn{records.begin(), records.begin() + 10};
    for (int copy = 0; copy < 2; ++copy) {
        torn.push_back(unreadable);
        torn.push_back(records[11]);
    }
    produce_again(topic, topic.log(), 0, torn);
    {
        KafkaLog log{{.topic = topic}};
        EXPECT_THAT(message_of_read(log, 0), HasSubstr("expected position 0:11"));
    }
    produce_again(topic, topic.log(), 0, {records.begin() + 10, records.end()});
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
}

TEST_F(PublishedLog, IsFilledFromTheStoreWhereRecordsWereDeleted) {
    publish(300);
    delete_records(topic, topic.log(), 0, 120);
    publish(10);
    KafkaLog log{{.topic = topic, .store = store.get()}};
    EXPECT_EQ(differences(*store, log), "");
    EXPECT_EQ(log.read(zero, 50, {.max_events = 1}).events.front().at.position.n, 51);
}

TEST_F(PublishedLog, StopsWhereRecordsWereDeletedAndThereIsNoStore) {
    publish(300);
    delete_records(topic, topic.log(), 0, 120);
    KafkaLog log{{.topic = topic}};
    EXPECT_THAT(message_of_read(log, 0),
                AllOf(HasSubstr("expected position 0:1"), HasSubstr("found 0:121")));
    EXPECT_EQ(log.read(zero, 200).events.front().at.position.n, 201);  // who is past it goes on
}

TEST_F(PublishedLog, GoesOnWhereAllThatWasDeletedHadBeenRead) {
    publish(50);
    Positions seen{1};
    seen.set({Partition{0}, 50});
    for (const std::int64_t place : {-1, 49}) {  // not remembered, and where its record was
        KafkaLog log{{.topic = topic}};
        if (place >= 0) log.remember({Partition{0}, 50}, place);
        if (place < 0) delete_records(topic, topic.log(), 0, 50);
        EXPECT_TRUE(log.read(zero, 50).events.empty());
        EXPECT_FALSE(log.wait(seen, std::chrono::milliseconds{300}));
    }
    KafkaLog log{{.topic = topic}};
    EXPECT_THAT(message_of_read(log, 40), HasSubstr("ends before position 0:40"));
    EXPECT_TRUE(log.read(zero, 50).events.empty());
    publish(3);
    EXPECT_TRUE(eventually([&] { return log.read(zero, 50).events.size() == 3U; }));
    EXPECT_THAT(message_of_read(log, 40), HasSubstr("expected position 0:41"));
}

TEST_F(PublishedLog, StopsWhenTheTopicWasMadeAnew) {
    publish(100);
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(log.read(zero, 60).events.size(), 40U);
    delete_topic(topic, topic.log());
    create_topics(topic, {.partitions = 1});
    EXPECT_THAT(message_of_read(log, 50), HasSubstr("ends before position 0:50"));
}

TEST_F(PublishedLog, IsNotCalledTruncatedWhereATransactionHidesIt) {
    publish(10);
    leave_transaction_open(topic, topic.log(), 0);
    publish(10);
    KafkaLog log{{.topic = topic}};
    EXPECT_THAT([&] { log.read(zero, 15); },
                ThrowsMessage<Unavailable>(HasSubstr("is open at offset 10")));
    produce_in_transaction(topic, topic.log(), 0, 1, false);  // ends the open one
    EXPECT_EQ(log.read(zero, 15).events.at(0).at.position.n, 16);
}

}  // namespace
}  // namespace recount::test
