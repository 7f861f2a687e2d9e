#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <atomic>

#include "outbox/audited_topic.hpp"
#include "support/eventually.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

TEST_F(AnAuditedTopic, GoesOnWhereAnotherAuditEnded) {
    publish(200);
    Audit first{*store, options()};
    first.catch_up();
    produce_foreign(topic, topic.log(), 0, "somebody", "else's");
    publish(40);
    auto from = options();
    from.from = first.proved();
    Audit second{*store, from};
    EXPECT_EQ(second.catch_up().proved(), 240);

    into_another_topic([](auto& all) { all[0].value = "wrong"; });
    from.topic = topic;
    EXPECT_EQ(Audit(*store, from).catch_up().differences, 0);  // it began behind
    from.from[0].hash = Hash{};                                // of another history: it begins anew
    EXPECT_EQ(Audit(*store, from).catch_up().differences, 1);
    EXPECT_EQ(audit().differences, 1);
}

TEST_F(AnAuditedTopic, IsProvedAnewWhenAnotherRecordIsWhereAnAuditEnded) {
    produce_foreign(topic, topic.log(), 0, "somebody", "else's");
    publish(200);
    Audit first{*store, options()};
    first.catch_up();
    publish(40);
    auto from = options();
    from.from = first.proved();
    into_another_topic([](auto& all) { all.erase(all.begin()); });
    from.topic = topic;
    Audit second{*store, from};
    EXPECT_EQ(second.catch_up().verdict(), AuditVerdict::equal);
    EXPECT_EQ(second.report().proved(), 240);
}

TEST_F(AnAuditedTopic, KeepsThePlacesThatItDidNotReach) {
    publish(200);
    Audit first{*store, options()};
    first.catch_up();
    const auto places = first.proved();
    publish(40);
    produce_foreign(topic, topic.log(), 0, "somebody", "else's");
    const auto kept_by = [&](const Audit& audit) {
        std::vector<AuditPlace> kept;
        for (const auto& partition : audit.report().partitions) {
            kept.push_back(partition.proved);
            EXPECT_GE(partition.head, partition.proved.n);
        }
        EXPECT_EQ(kept, audit.proved());
        return kept;
    };
    auto from = options();
    from.from = places;
    EXPECT_EQ(kept_by(Audit{*store, from}), places);  // before it was asked for anything

    std::stop_source stop;
    from.on_finding = [&](const AuditFinding&) { stop.request_stop(); };
    Audit stopped{*store, from};
    EXPECT_EQ(stopped.catch_up(stop.get_token()).verdict(), AuditVerdict::unknown);
    EXPECT_EQ(kept_by(stopped)[0].n, head(0));
    EXPECT_EQ(kept_by(stopped)[1], places[1]);

    from.on_finding = [](const AuditFinding&) { throw Unavailable("the brokers are gone"); };
    Audit broken_off{*store, from};
    EXPECT_THROW(broken_off.catch_up(), Unavailable);
    EXPECT_EQ(kept_by(broken_off)[0].n, head(0));
    EXPECT_EQ(kept_by(broken_off)[1], places[1]);
}

TEST_F(AnAuditedTopic, ForgetsNoRecordThatTheStoreDidNotAnswerFor) {
    publish(50);
    const auto hasty =
        open_store(url, {.create = false, .read_only = true, .timeout = std::chrono::seconds{1}});
    Audit following{*hasty, options()};
    {
        auto database = Database::open(url);
        auto sql = database->begin(SqlMode::write);
        sql->script("lock table event in access exclusive mode");
        EXPECT_THROW(following.catch_up(), Error);
    }
    EXPECT_EQ(following.catch_up().verdict(), AuditVerdict::equal);
    EXPECT_EQ(following.report().proved(), 50);
    EXPECT_TRUE(findings.empty());
}

TEST_F(AnAuditedTopic, WritesNothing) {
    publish(30);
    const auto state = [&] {
        auto database = Database::open(url);
        auto sql = database->begin(SqlMode::snapshot);
        const auto rows = sql->query(
            "select (select string_agg(l::text, ',') from lease l) || "
            "(select string_agg(c::text, ',' order by c::text) from relay_cursor c)");
        return rows.text(0, 0);
    };
    const auto before = state();
    audit();
    EXPECT_EQ(state(), before);
    EXPECT_EQ(records(0).size() + records(1).size(), 30U);
}

TEST_F(AnAuditedTopic, OfAnotherStoreIsRefused) {
    publish(10);
    const auto other = open_store("memory:", {.partitions = 2});
    EXPECT_THROW(Audit(*other, options()).catch_up(), Mismatch);
    const auto wider = open_store("memory:", {.partitions = 3});
    EXPECT_THROW(Audit(*wider, options()).catch_up(), Mismatch);
}

TEST_F(AnAuditedTopic, MayBeginBehindWhatRetentionTook) {
    publish(60);
    delete_records(topic, topic.log(), 0, 10);
    EXPECT_EQ(audit().differences, 10);
    auto allowing = options();
    allowing.allow_retention = true;
    EXPECT_EQ(Audit(*store, allowing).catch_up().verdict(), AuditVerdict::equal);
}

TEST_F(AnAuditedTopic, MayHaveLostAllOfAPartitionToRetention) {
    publish(60);
    const auto head = store->heads().at(0).n;
    auto allowing = options();
    allowing.allow_retention = true;
    Audit following{*store, allowing};
    EXPECT_EQ(following.catch_up().verdict(), AuditVerdict::equal);
    delete_records(topic, topic.log(), 0, head);
    EXPECT_EQ(audit().differences, head);
    Audit fresh{*store, allowing};
    for (Audit* each : {&following, &fresh}) {
        EXPECT_EQ(each->catch_up().verdict(), AuditVerdict::equal);
        EXPECT_EQ(each->report().behind(), 0);
    }
    publish(20);
    for (Audit* each : {&following, &fresh}) {
        EXPECT_EQ(each->catch_up().verdict(), AuditVerdict::equal) << each->report().unknown;
        EXPECT_EQ(each->report().differences, 0);
    }
}

TEST_F(AnAuditedTopic, LacksWhatNeverCameBehindAllThatRetentionTook) {
    publish(60);
    const auto head = store->heads().at(0).n;
    delete_records(topic, topic.log(), 0, head);
    auto allowing = options();
    allowing.allow_retention = true;
    Audit following{*store, allowing};
    EXPECT_EQ(following.catch_up().verdict(), AuditVerdict::equal);
    append_events(*store, 20);
    const KafkaTopic whole = own_topic_for(*store);
    Relay{*store, {.topic = whole}}.catch_up();
    const auto records = read_raw(whole, whole.log(), 0);
    produce_again(topic, topic.log(), 0, {records.begin() + head + 2, records.end()});
    const auto report = following.catch_up();
    EXPECT_EQ(report.verdict(), AuditVerdict::differs);
    EXPECT_EQ(report.differences, 2);
}

TEST_F(AnAuditedTopic, CannotBeJudgedBehindAnOpenTransaction) {
    publish(20);
    Audit following{*store, options()};
    following.catch_up();
    leave_transaction_open(topic, topic.log(), 0);
    publish(20);
    for (int pass = 0; pass < 2; ++pass) {
        const auto report = following.catch_up();
        EXPECT_EQ(report.verdict(), AuditVerdict::unknown);
        EXPECT_NE(report.unknown.find("a transaction of a foreign producer"), std::string::npos)
            << report.unknown;
        EXPECT_LT(report.proved(), 40);
    }
    produce_in_transaction(topic, topic.log(), 0, 1, false);
    EXPECT_EQ(following.catch_up().proved(), 40);
    EXPECT_EQ(following.report().verdict(), AuditVerdict::equal) << following.report().unknown;
}

TEST_F(AnAuditedTopic, LacksWhatRetentionCannotHaveTaken) {
    publish(20);
    const KafkaTopic whole = topic;
    topic = own_topic_for(*store);
    produce_foreign(topic, topic.log(), 0, "k", "not recount's");
    for (std::int32_t partition = 0; partition < 2; ++partition) {
        auto all = read_raw(whole, whole.log(), partition);
        if (partition == 0) all.erase(all.begin(), all.begin() + 3);
        produce_again(topic, topic.log(), partition, all);
    }
    AuditOptions lenient = options();
    lenient.allow_retention = true;
    EXPECT_EQ(Audit(*store, lenient).catch_up().verdict(), AuditVerdict::differs);
}

TEST_F(AnAuditedTopic, LacksNothingThatMayBeBehindAnOpenTransaction) {
    publish(40);
    std::vector<RawRecord> again;
    into_another_topic([&](auto& records) {
        again = {records.begin() + 4, records.end()};
        records.erase(records.begin() + 4);
    });
    leave_transaction_open(topic, topic.log(), 0);
    produce_again(topic, topic.log(), 0, again);  // as a relay repairs the hole
    Audit following{*store, options()};
    const auto report = following.catch_up();
    EXPECT_EQ(report.verdict(), AuditVerdict::unknown);
    EXPECT_EQ(report.differences, 0);
    produce_in_transaction(topic, topic.log(), 0, 1, false);
    following.catch_up();
    EXPECT_EQ(following.report().differences, 0);
    EXPECT_EQ(following.report().proved(), 40);
}

TEST_F(AnAuditedTopic, IsProvedPassAfterPass) {
    publish(50);
    std::atomic<std::int64_t> proved{0};
    auto watching = options();
    watching.on_heartbeat = [&](const AuditReport& report) { proved = report.proved(); };
    watching.pause = watching.heartbeat = std::chrono::milliseconds{20};
    Audit following{*store, watching};
    std::stop_source stop;
    std::string why;
    auto running = store->environment().scheduler.spawn(
        "audit", [&](std::stop_token) { why = following.run(stop.get_token()); });
    publish(70);
    EXPECT_TRUE(eventually([&] { return proved == 120; }));
    stop.request_stop();
    running->join();
    EXPECT_EQ(why, "asked to stop");
    EXPECT_EQ(following.report().proved(), 120);
}

TEST_F(AnAuditedTopic, EndsItsAuditWhenTheHeartbeatCannotBeTold) {
    publish(10);
    auto watching = options();
    int told = 0;
    watching.on_heartbeat = [&](const AuditReport&) {
        if (++told == 2) throw std::runtime_error("the folder is gone");
    };
    watching.pause = watching.heartbeat = std::chrono::milliseconds{20};
    Audit following{*store, watching};
    EXPECT_EQ(following.run({}), "the folder is gone");
    EXPECT_EQ(told, 2);
}

TEST(BrokersThatAreGone, LeaveTheAuditWithoutAVerdict) {
    const auto store = open_store("memory:", {.partitions = 2});
    Audit audit{*store,
                {.topic = {.brokers = "127.0.0.1:9", .name = "shop"},
                 .broker_timeout = std::chrono::milliseconds{300}}};
    EXPECT_THROW(audit.catch_up(), Unavailable);
    EXPECT_EQ(audit.report().verdict(), AuditVerdict::unknown);
    EXPECT_EQ(audit.report().partitions.size(), 2U);
}

TEST(ASqliteStoresTopic, IsAuditedWhileTheStoreIsWritten) {
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + folder.file("shop.db");
    const auto store = open_store(url, {.partitions = 2});
    const auto topic = own_topic_for(*store);
    append_events(*store, 90);
    Relay{*store, {.topic = topic}}.catch_up();
    const auto reading = open_store(url, {.create = false, .read_only = true});
    const auto report = Audit{*reading, {.topic = topic}}.catch_up();
    EXPECT_EQ(report.verdict(), AuditVerdict::equal) << report.unknown;
    EXPECT_EQ(report.proved(), 90);
}

}  // namespace
}  // namespace recount::test
