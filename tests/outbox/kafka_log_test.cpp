#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outbox/kit.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;

constexpr Partition zero{0};

/// A store of one partition, published.
struct PublishedLog : testing::Test {
    std::unique_ptr<EventStore> store = open_store("memory:", {.partitions = 1});
    KafkaTopic topic = own_topic_for(*store);
    std::unique_ptr<Relay> relay = std::make_unique<Relay>(*store, RelayOptions{.topic = topic});

    void publish(int count) {
        append_events(*store, count);
        relay->catch_up();
    }
    std::vector<RawRecord> raw() { return read_raw(topic, topic.log(), 0); }
    /// Records first … last (positions) once more at the topic's end.
    void send_again(std::size_t first, std::size_t last) {
        const auto records = raw();
        produce_again(topic, topic.log(), 0,
                      {records.begin() + static_cast<std::ptrdiff_t>(first - 1),
                       records.begin() + static_cast<std::ptrdiff_t>(last)});
    }
    std::string message_of_read(KafkaLog& log, std::int64_t after) {
        try {
            while (!log.read(zero, after).end)
                after = log.read(zero, after).events.back().at.position.n;
        } catch (const Divergence& error) {
            return error.what();
        }
        return "no Divergence";
    }
};

TEST_F(PublishedLog, IsReadInPagesFromAnyPosition) {
    publish(1200);
    KafkaLog log{{.topic = topic}};
    for (const std::int64_t after : {0, 1, 599, 1199, 7, 1200, 600}) {
        const auto page = log.read(zero, after, {.max_events = 50});
        const auto expected = store->read(zero, after, {.max_events = 50});
        ASSERT_EQ(page.events.size(), expected.events.size()) << after;
        for (std::size_t index = 0; index < page.events.size(); ++index) {
            EXPECT_EQ(page.events[index].hash, expected.events[index].hash);
            EXPECT_EQ(page.events[index].at.position, expected.events[index].at.position);
        }
        EXPECT_EQ(page.end, after >= 1150) << after;
    }
}

TEST_F(PublishedLog, IsFilteredAsItsStoreIs) {
    for (int round = 0; round < 4; ++round) {
        publish(300);
        append_events(*store, 1, 1, "rare");
    }
    relay->catch_up();
    KafkaLog log{{.topic = topic}};
    for (const ReadLog& limits : {ReadLog{}, ReadLog{.max_scanned = 70}, ReadLog{.max_events = 1},
                                  ReadLog{.max_bytes = 1}, ReadLog{.max_events = 0}}) {
        ReadLog options = limits;
        options.filter.categories = {"rare"};
        std::vector<std::int64_t> found;
        int pages = 0;
        for (LogPage page; !page.end; ++pages) {
            const std::int64_t behind = page.upto;
            page = log.read(zero, behind, options);
            ASSERT_TRUE(page.end || page.upto > behind);
            for (const RecordedEvent& event : page.events) found.push_back(event.at.position.n);
        }
        EXPECT_EQ(found, (std::vector<std::int64_t>{301, 602, 903, 1204}));
        if (limits.max_scanned == 70) {
            EXPECT_EQ(pages, 18);
        }
    }
    for (const ReadLog& nothing : {ReadLog{.max_events = 0}, ReadLog{.max_bytes = 0}}) {
        const LogPage page = log.read(zero, 7, nothing);
        EXPECT_EQ(page.upto, 8) << "one event is returned all the same";
        EXPECT_FALSE(page.end);
    }
    EXPECT_EQ(log.read(zero, 7, {.max_events = 10}).upto, 17);
    EXPECT_THROW(log.read(zero, 0, {.filter = {.categories = {"a-b"}}}), InvalidArgument);
}

TEST_F(PublishedLog, IsSearchedWhenPositionAndOffsetAreFarApart) {
    for (int round = 0; round < 6; ++round) {
        produce_in_transaction(topic, topic.log(), 0, 1500, round % 2 == 0);
        publish(3500);
    }
    KafkaLog log{{.topic = topic}};
    for (const std::int64_t after : {20'999, 5, 14'000, 9'000, 20'000}) {
        const auto page = log.read(zero, after, {.max_events = 10});
        ASSERT_FALSE(page.events.empty());
        EXPECT_EQ(page.events.front().at.position.n, after + 1);
    }
    EXPECT_EQ(differences(*store, log), "");
}

TEST_F(PublishedLog, IgnoresReplays) {
    publish(100);
    send_again(40, 100);
    send_again(10, 12);
    publish(50);
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
    // Begun in the middle, whichever copy the search meets.
    for (std::int64_t after = 0; after < 150; after += 7) {
        const auto page = log.read(zero, after, {.max_events = 3});
        ASSERT_FALSE(page.events.empty());
        EXPECT_EQ(page.events.front().at.position.n, after + 1);
    }
}

TEST_F(PublishedLog, StopsAtAnotherHistoryUnderAKnownPosition) {
    publish(20);
    auto records = raw();
    for (auto& [name, value] : records[14].headers) {
        if (name == "recount-hash") value = std::string(64, 'a');
    }
    produce_again(topic, topic.log(), 0, {records[14]});
    KafkaLog log{{.topic = topic}};
    EXPECT_THAT(message_of_read(log, 0),
                AllOf(HasSubstr("two events claim position 0:15"), HasSubstr("partition 0")));
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

TEST_F(PublishedLog, StopsWhenTheTopicWasMadeAnew) {
    publish(100);
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(log.read(zero, 60).events.size(), 40U);
    delete_topic(topic, topic.log());
    create_topics(topic, {.partitions = 1});
    EXPECT_THAT(message_of_read(log, 50), HasSubstr("ends before position 0:50"));
}

TEST_F(PublishedLog, IsNotDisturbedByForeignRecords) {
    publish(20);
    produce_foreign(topic, topic.log(), 0, "k", "v");
    produce_foreign(topic, topic.log(), 0, "k", "v", {{"recount-position", "0:21"}});
    produce_foreign(topic, topic.log(), 0, "", "", {{"recount-position", "x"}, {"ce_id", "1"}});
    publish(20);
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
    EXPECT_EQ(log.foreign().count, 3);
    EXPECT_THAT(log.foreign().last, HasSubstr("partition 0 offset 22"));
}

TEST_F(PublishedLog, TakesRecordsOfAnUnreadableIncarnationForForeignOnes) {
    publish(20);
    std::vector<RawRecord> records = raw();
    for (const auto* text : {"x", ""}) {  // first and last in the topic
        RawRecord unreadable = records.back();
        for (auto& [name, value] : unreadable.headers) {
            if (name == "recount-incarnation") value = text;
        }
        records.insert(records.begin(), unreadable);
        records.push_back(unreadable);
    }
    const KafkaTopic other = own_topic_for(*store);
    produce_again(other, other.log(), 0, records);
    KafkaLog log{{.topic = other, .store = store.get()}};
    EXPECT_EQ(differences(*store, log), "");
    EXPECT_EQ(log.foreign().count, 4);
}

TEST_F(PublishedLog, IsNotDisturbedByTransactionsThatAbort) {
    publish(20);
    produce_in_transaction(topic, topic.log(), 0, 5, false);
    publish(20);
    produce_in_transaction(topic, topic.log(), 0, 5, false);
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
    EXPECT_EQ(log.foreign().count, 0);
    EXPECT_TRUE(log.read(zero, 40).end);
}

TEST_F(PublishedLog, WakesUpWhoWaits) {
    publish(5);
    KafkaLog log{{.topic = topic}};
    Positions seen{1};
    EXPECT_TRUE(log.wait(seen, std::chrono::seconds{5}));
    seen.set({zero, 5});
    EXPECT_FALSE(log.wait(seen, std::chrono::milliseconds{50}));
    auto publishing =
        store->environment().scheduler.spawn("publish", [&](std::stop_token) { publish(1); });
    EXPECT_TRUE(log.wait(seen, std::chrono::seconds{30}));
    publishing->join();
    const auto page = log.read(zero, 5);
    ASSERT_EQ(page.events.size(), 1U);
    EXPECT_EQ(page.events[0].at.position.n, 6);
}

TEST_F(PublishedLog, SaysWhichPayloadsTheTopicLeftOut) {
    append_events(*store, 5, 1, "saga");
    relay->catch_up();
    KafkaLog log{{.topic = topic}};
    const auto page = log.read(zero, 0);
    ASSERT_EQ(page.events.size(), 5U);
    EXPECT_TRUE(page.events[0].withheld);
    EXPECT_TRUE(page.events[0].erased());
    EXPECT_EQ(page.events[0].at.type, "google.protobuf.StringValue");
}

TEST_F(PublishedLog, KnowsNoHeadsOnceTheRelayFellSilent) {
    publish(5);
    relay.reset();
    KafkaLog log{{.topic = topic, .silence = std::chrono::milliseconds{1}}};
    EXPECT_THROW(log.heads(), Unavailable);
    const auto known = log.published();
    ASSERT_TRUE(known);
    EXPECT_FALSE(known->fresh);
    EXPECT_EQ(known->heads.at(0).n, 5);
    EXPECT_EQ(known->published.at(0), 5);
}

TEST_F(PublishedLog, RefusesTheTopicOfAnotherStore) {
    publish(5);
    const auto other = open_store("memory:", {.partitions = 1});
    EXPECT_THROW((KafkaLog{{.topic = topic, .store = other.get()}}), Mismatch);
}

TEST(KafkaLogWithoutARelay, SaysThatNobodyPublishes) {
    const auto store = open_store("memory:", {.partitions = 1});
    const auto topic = own_topic_for(*store);
    EXPECT_THROW((KafkaLog{{.topic = topic}}), Unavailable);
    KafkaLog log{{.topic = topic, .store = store.get()}};
    EXPECT_EQ(log.identity().id, store->identity().id);
}

}  // namespace
}  // namespace recount::test
