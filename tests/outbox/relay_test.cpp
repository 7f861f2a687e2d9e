#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include "outbox/kit.hpp"
#include "support/servers.hpp"

namespace recount::test {
namespace {

struct RelayOnKafka : testing::Test {
    std::unique_ptr<EventStore> store = open_store("memory:", {.partitions = 4});
    KafkaTopic topic = own_topic_for(*store);
    std::unique_ptr<Relay> relay = make_relay();

    std::unique_ptr<Relay> make_relay() {
        return std::make_unique<Relay>(*store, RelayOptions{.topic = topic});
    }
};

TEST_F(RelayOnKafka, PublishesEverythingInOrder) {
    append_events(*store, 1000);
    EXPECT_EQ(relay->catch_up(), 1000);
    std::int64_t replays = 0;
    EXPECT_EQ(differences(*store, topic, {}, &replays), "");
    EXPECT_EQ(replays, 0);
}

TEST_F(RelayOnKafka, MakesItsTopicsOnlyWhenToldTo) {
    const auto unmade = own_topic();
    append_events(*store, 50);
    EXPECT_THROW(Relay(*store, {.topic = unmade}).catch_up(), Mismatch);
    for (int round = 0; round < 2; ++round) {  // what is there is left as it is
        Relay{*store, {.topic = unmade, .create_topics = true}}.catch_up();
        EXPECT_EQ(differences(*store, unmade), "");
    }
}

TEST_F(RelayOnKafka, GoesOnBehindWhatItPublished) {
    append_events(*store, 300);
    relay->catch_up();
    append_events(*store, 200);
    EXPECT_EQ(relay->catch_up(), 200);
    EXPECT_EQ(differences(*store, topic), "");
}

TEST_F(RelayOnKafka, ContinuesBehindTheTopicsEndWhenTheCursorWasLost) {
    append_events(*store, 500);
    relay->catch_up();
    relay = make_relay();  // a store in memory keeps the cursor in memory
    append_events(*store, 100);
    EXPECT_EQ(relay->catch_up(), 100);
    std::int64_t replays = 0;
    EXPECT_EQ(differences(*store, topic, {}, &replays), "");
    EXPECT_EQ(replays, 0);
}

TEST_F(RelayOnKafka, WithholdsThePayloadsOfSagas) {
    append_events(*store, 20, 5, "saga");
    append_events(*store, 20, 5, "thing");
    relay->catch_up();
    EXPECT_EQ(differences(*store, topic), "");
    int withheld = 0;
    for (std::int32_t partition = 0; partition < 4; ++partition) {
        for (const auto& record : read_raw(topic, topic.log(), partition)) {
            if (!record.key.starts_with("saga-")) continue;
            ++withheld;
            EXPECT_FALSE(record.value);
            EXPECT_EQ(record.header("recount-withheld"), "category");
            EXPECT_EQ(record.header("recount-salt"), "");
        }
    }
    EXPECT_EQ(withheld, 20);
}

TEST_F(RelayOnKafka, IsReadBackAsTheStoreItself) {
    append_events(*store, 700);
    append_events(*store, 30, 5, "saga");
    relay->catch_up();
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(log.identity().id, store->identity().id);
    EXPECT_EQ(log.incarnations().size(), 1U);
    EXPECT_EQ(differences(*store, log), "");
    EXPECT_EQ(log.heads(), store->heads());
}

}  // namespace
}  // namespace recount::test
