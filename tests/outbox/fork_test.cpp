#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>
#include <recount/eventstore/sql.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outbox/kit.hpp"
#include "support/eventually.hpp"
#include "support/servers.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// A store that is taken back to an earlier state, as a restored backup is.
struct ARestoredStore : testing::Test {
    std::string url = postgres_url_with_own_schema();
    std::unique_ptr<EventStore> store = open_store(url, {.partitions = 2});
    KafkaTopic topic = own_topic_for(*store);

    /// Every partition loses what is behind `kept`.
    void take_back(std::int64_t kept) {
        auto database = Database::open(url);
        auto sql = database->begin(SqlMode::write);
        sql->exec("delete from event where position > $1", kept);
        sql->exec("delete from outcome");
        sql->exec("delete from stream");
        sql->exec("insert into stream select stream, max(version) from event group by stream");
        sql->exec(
            "update partition p set position = e.position, hash = e.hash from event e "
            "where e.partition = p.partition and e.position = "
            "(select max(position) from event x where x.partition = p.partition)");
        sql->commit();
    }
    /// As a backup does that was made before the first of them.
    void forget_forks() {
        auto database = Database::open(url);
        auto sql = database->begin(SqlMode::write);
        sql->exec("delete from fork");
        sql->exec("delete from incarnation where parent is not null");
        sql->commit();
    }
    void declare() { declare_restored(url); }
    AuditReport audit() { return Audit{*store, {.topic = topic}}.catch_up(); }
    void publish(int count) {
        append_events(*store, count);
        Relay{*store, {.topic = topic}}.catch_up();
    }
};

/// librdkafka does not end a client whose topic was deleted while it fetched.
TEST_F(ARestoredStore, IsFollowedThoughTheTopicOfTheDeadBranchIsDeleted) {
    publish(300);
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
    take_back(40);
    declare();
    store = open_store(url);
    delete_topic(topic, topic.log());
    store->environment().scheduler.sleep(std::chrono::seconds{2});  // the client hears of it
    publish(200);
    EXPECT_TRUE(eventually([&] {
        try {
            return log.incarnations().size() == 2 && differences(*store, log).empty();
        } catch (const Unavailable&) {
            return false;
        }
    }));
}

TEST_F(ARestoredStore, GoesOnInATopicOfItsOwn) {
    publish(300);
    KafkaLog log{{.topic = topic}};
    KafkaLog filled{{.topic = topic, .store = store.get()}};
    EXPECT_EQ(differences(*store, log), "");
    const auto dead = store->identity().incarnation;
    Audit following{*store, {.topic = topic}};
    following.catch_up();

    take_back(40);
    declare();
    EXPECT_THROW(following.catch_up(), Unavailable);
    const auto before = std::exchange(store, open_store(url));
    publish(200);
    EXPECT_EQ(differences(*store, topic, {.incarnation = 1}), "");
    EXPECT_NE(store->identity().incarnation, dead);

    // Who was reading follows; the kept positions mean the same, the others are for him to judge.
    EXPECT_TRUE(eventually([&] { return log.incarnations().size() == 2U; }));
    EXPECT_EQ(log.identity().incarnation, store->identity().incarnation);
    EXPECT_EQ(differences(*store, log), "");
    EXPECT_EQ(log.read(Partition{0}, 40).events.at(0).at.position.n, 41);
    KafkaLog fresh{{.topic = topic, .store = store.get()}};
    EXPECT_EQ(differences(*store, fresh), "");
    EXPECT_EQ(audit().verdict(), AuditVerdict::equal);
    EXPECT_EQ(audit().topic, topic.log(1));
    EXPECT_THROW(Audit(*before, {.topic = topic}).catch_up(), Unavailable);
}

/// The wrong moment was restored first. The second branch has the topic's name of the first.
TEST_F(ARestoredStore, AgainToBeforeTheFirstForkIsSentToTheNextTopicWhenDeclaredOnceMore) {
    publish(300);
    KafkaLog log{{.topic = topic}};
    take_back(40);
    declare();
    store = open_store(url);
    publish(200);
    EXPECT_TRUE(eventually([&] { return log.incarnations().size() == 2U; }));
    EXPECT_EQ(differences(*store, log), "");
    take_back(20);
    forget_forks();
    declare();
    store = open_store(url);
    for (const int count : {0, 400}) {
        try {
            publish(count);
            ADD_FAILURE() << "published behind another history";
        } catch (const Divergence& error) {
            EXPECT_THAT(error.what(), HasSubstr("declare it once more"));
        }
    }
    declare();
    store = open_store(url);
    publish(50);
    EXPECT_EQ(differences(*store, topic, {.incarnation = 2}), "");
    EXPECT_TRUE(eventually([&] { return log.incarnations().size() == 3U; }));
    EXPECT_EQ(differences(*store, log), "");
}

/// The same, where the topic of the dead branch was deleted instead.
TEST_F(ARestoredStore, AgainIsFollowedByWhoReadTheFirstBranchUnderTheSameName) {
    publish(300);
    KafkaLog log{{.topic = topic}};
    take_back(40);
    declare();
    store = open_store(url);
    publish(200);
    EXPECT_TRUE(eventually([&] { return log.incarnations().size() == 2U; }));
    const Uuid dead = log.identity().incarnation;
    take_back(20);
    forget_forks();
    declare();
    store = open_store(url);
    delete_topic(topic, topic.log(1));
    EXPECT_TRUE(eventually([&] {
        try {
            publish(50);
            return true;
        } catch (const Error&) {
            return false;  // until every broker knows that it is gone
        }
    }));
    EXPECT_TRUE(eventually([&] {
        try {
            return log.incarnations().back().id != dead && differences(*store, log).empty();
        } catch (const Error&) {
            return false;
        }
    }));
}

TEST_F(ARestoredStore, IsNotTurnedBackByALateBeatOfTheDeadBranchsRelay) {
    publish(60);
    const auto late = read_raw(topic, topic.heads(), 0).back();
    take_back(20);
    declare();
    store = open_store(url);
    publish(40);
    produce_again(topic, topic.heads(), 0, {late});
    EXPECT_EQ(read_raw(topic, topic.heads(), 0).back().value, late.value);
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(log.identity().incarnation, store->identity().incarnation);
    EXPECT_EQ(log.incarnations().size(), 2U);
    EXPECT_EQ(differences(*store, log), "");
}

TEST_F(ARestoredStore, MakesNoTopicUnderTheNameOfAnotherStore) {
    publish(10);
    const std::string other_url = postgres_url_with_own_schema();
    open_store(other_url, {.partitions = 2});
    declare_restored(other_url);
    const auto other = open_store(other_url);
    EXPECT_THAT([&] { Relay(*other, {.topic = topic}).catch_up(); },
                ThrowsMessage<Mismatch>(HasSubstr("carries store")));
    EXPECT_THAT([&] { check_topics(topic, {.partitions = 2}, 1); },
                ThrowsMessage<Mismatch>(HasSubstr(topic.log(1))));
}

TEST_F(ARestoredStore, IsNoticedWhenNobodyDeclaredIt) {
    publish(300);
    take_back(40);
    store = open_store(url);
    std::vector<AuditFinding> findings;
    Audit unaware{
        *store, {.topic = topic, .on_finding = [&](const auto& one) { findings.push_back(one); }}};
    EXPECT_EQ(unaware.catch_up().differences, 300 - 80);
    EXPECT_EQ(findings.at(0).kind, AuditFinding::Kind::extra);
    EXPECT_EQ(findings.at(0).first, 41);
    EXPECT_EQ(findings.size(), 40U);  // twenty a partition, the others counted
    try {
        publish(0);
        ADD_FAILURE() << "published from a store that lost its end";
    } catch (const Divergence& error) {
        EXPECT_THAT(error.what(), HasSubstr("declare the restore"));
    }
    try {
        publish(400);
        ADD_FAILURE() << "published another history";
    } catch (const Divergence& error) {
        EXPECT_THAT(error.what(), HasSubstr("differ at position"));
    }
}

}  // namespace
}  // namespace recount::test
