#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "beat.hpp"
#include "published_log.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;

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

/// As by views of which one is built anew, and others were away.
TEST_F(PublishedLog, IsReadOnAtSeveralPlacesInTurnsWithoutASearchForEach) {
    publish(3000);
    KafkaLog log{{.topic = topic}};
    const auto read_on = [&](std::int64_t& after) {
        const auto page = log.read(zero, after, {.max_events = 20});
        const auto expected = store->read(zero, after, {.max_events = 20});
        ASSERT_EQ(page.events.size(), expected.events.size()) << after;
        EXPECT_EQ(page.events.back().hash, expected.events.back().hash) << after;
        after = page.upto;
    };
    for (const std::size_t many : {6U, 12U}) {
        std::vector<std::int64_t> places;
        for (std::size_t i = 0; i < many; ++i) places.push_back(static_cast<std::int64_t>(200 * i));
        const double before = searches();
        for (int turn = 0; turn < (many == 6 ? 10 : 2); ++turn) {
            for (std::int64_t& place : places) read_on(place);
        }
        if (many > 6) break;  // right, but more than are kept
        EXPECT_EQ(searches(), before + 5) << "one for each place but the first";
    }
}

TEST_F(PublishedLog, IsNotReadFromItsBeginningByWhoIsAheadOfIt) {
    produce_foreign(topic, topic.log(), 0, "k", "not recount's");
    publish(20);
    append_events(*store, 10);
    KafkaLog log{{.topic = topic, .silence = std::chrono::hours{1}}};
    Positions seen{1};
    seen.set({zero, 25});
    EXPECT_FALSE(log.wait(seen, Duration::zero()));
    EXPECT_EQ(log.foreign().count, 0);
    relay->catch_up();
    EXPECT_TRUE(log.wait(seen, std::chrono::seconds{20}));
    EXPECT_EQ(log.read(zero, 25).events.size(), 5U);
}

TEST(ALogThatIsNotThere, IsSaidToBeMissing) {
    const KafkaLogOptions options{.topic = own_topic(), .broker_timeout = std::chrono::seconds{20}};
    EXPECT_THAT([&] { KafkaLog log{options}; },
                testing::ThrowsMessage<Mismatch>(HasSubstr("does not exist")));
}

TEST_F(PublishedLog, PassesOverABeatOfMorePartitionsThanItHas) {
    publish(40);
    KafkaLog log{{.topic = topic, .silence = std::chrono::hours{1}}};
    const auto known = log.heads();
    relay.reset();
    auto forged = read_raw(topic, topic.heads(), 0).back();
    auto beat = decode_beat(*forged.value).value();
    beat.heads.resize(1000, LogHead{beat.heads[0]});
    beat.published.resize(1000);
    beat.at += std::chrono::minutes{1};
    forged.value = encode(beat);
    produce_again(topic, topic.heads(), 0, {forged});
    EXPECT_FALSE(eventually([&] { return log.heads() != known; }, std::chrono::seconds{1}));
    EXPECT_EQ(log.read(zero, 0, {.max_events = 5}).events.size(), 5U);
    EXPECT_EQ(log.heads(), known);
}

TEST_F(PublishedLog, ShowsWhatWasReadSinceTheLastBeatAsItsHead) {
    publish(40);
    KafkaLog log{{.topic = topic, .silence = std::chrono::hours{1}}};
    EXPECT_EQ(log.heads(), store->heads());
    append_events(*store, 10);
    const KafkaTopic further = own_topic_for(*store);
    Relay{*store, {.topic = further}}.catch_up();
    const auto all = read_raw(further, further.log(), 0);
    produce_again(topic, topic.log(), 0, {all.begin() + 40, all.end()});

    Positions seen{1};
    seen.set({zero, 40});
    EXPECT_TRUE(log.wait(seen, std::chrono::seconds{20}));
    EXPECT_EQ(log.heads().at(0).n, 41);
    EXPECT_EQ(log.read(zero, 40).events.size(), 10U);
    EXPECT_EQ(log.heads(), store->heads());
    EXPECT_EQ(log.read(zero, 0, {.max_events = 5}).events.size(), 5U);
    EXPECT_EQ(log.heads(), store->heads()) << "what was read once is there";
    EXPECT_EQ(log.published()->heads.at(0).n, 40);
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

TEST_F(PublishedLog, KnowsHowOldItsHeadsAre) {
    publish(5);
    KafkaLog log{{.topic = topic, .silence = std::chrono::hours{1}}};
    const auto first = newest_heads(log);
    EXPECT_EQ(first.heads.at(0).n, 5);
    EXPECT_TRUE(eventually([&] { return newest_heads(log).age > first.age; }));
    KafkaLog beside{{.topic = topic, .store = store.get()}};
    EXPECT_EQ(newest_heads(beside).age, Duration::zero());
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
