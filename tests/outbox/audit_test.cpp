#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outbox/audited_topic.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Kind = AuditFinding::Kind;

TEST_F(AnAuditedTopic, IsEqualToItsStore) {
    publish(700);
    const auto report = audit();
    EXPECT_EQ(report.verdict(), AuditVerdict::equal) << report.unknown;
    EXPECT_EQ(report.proved(), 700);
    EXPECT_EQ(report.behind(), 0);
    EXPECT_EQ(report.partitions.at(0).proved.hash, store->heads().at(0).hash);
    EXPECT_TRUE(findings.empty());
}

TEST_F(AnAuditedTopic, MayBeBehindWhileItsRelayLives) {
    publish(100);
    append_events(*store, 50);
    const auto report = audit();  // the relay's last beat is younger than three seconds
    EXPECT_EQ(report.verdict(), AuditVerdict::equal) << report.unknown;
    EXPECT_EQ(report.proved(), 100);
    EXPECT_EQ(report.behind(), 50);
}

TEST_F(AnAuditedTopic, MayNotBeBehindARelayThatFellSilent) {
    publish(100);
    append_events(*store, 50);
    auto patient = options();
    patient.silence = Duration::zero();
    const auto report = Audit{*store, patient}.catch_up();
    EXPECT_EQ(report.verdict(), AuditVerdict::unknown);
    EXPECT_THAT(report.unknown, AllOf(HasSubstr("50 events behind"), HasSubstr("start the relay")));
}

TEST_F(AnAuditedTopic, WithholdsWhatItsRelayWithheld) {
    append_events(*store, 30, 5, "saga");
    publish(20);
    EXPECT_EQ(audit().verdict(), AuditVerdict::equal);
    auto others = options();
    others.withhold = {};
    EXPECT_EQ(Audit(*store, others).catch_up().differences, 30);
    EXPECT_EQ(findings.at(0).field, "payload");
    EXPECT_THAT(findings.at(0).what, HasSubstr("its relay withheld it"));
}

TEST_F(AnAuditedTopic, KeepsPayloadsThatWereErasedLater) {
    publish(50);
    const auto event = store->read(Partition{0}, 0, {.max_events = 1}).events.at(0);
    store->truncate(event.at.stream, Version{2}, NoSnapshot::accepted);
    const auto report = audit();
    EXPECT_EQ(report.verdict(), AuditVerdict::equal) << findings.size();
    EXPECT_EQ(report.unforgotten, 1);

    into_another_topic([](auto& all) { all[0].value = "another"; });
    EXPECT_EQ(audit().differences, 1);
    EXPECT_EQ(findings.at(0).field, "payload");
}

TEST_F(AnAuditedTopic, MayLackWhatWasErasedBeforeItWasSent) {
    publish(20);
    Audit following{*store, options()};
    following.catch_up();
    append_events(*store, 20);
    Audit ahead{*store, options()};
    ahead.catch_up();  // reads those of the store, too, which the relay has not sent
    const auto unsent = store->read(Partition{0}, head() - 1).events.at(0);
    store->truncate(unsent.at.stream, Version{unsent.at.version.value + 1}, NoSnapshot::accepted);
    Relay{*store, {.topic = topic}}.catch_up();
    EXPECT_EQ(ahead.catch_up().verdict(), AuditVerdict::equal);
    EXPECT_EQ(ahead.report().proved(), 40);
    EXPECT_EQ(following.catch_up().verdict(), AuditVerdict::equal);
    EXPECT_TRUE(findings.empty());
}

TEST_F(AnAuditedTopic, ShowsWhichFieldOfARecordWasAltered) {
    publish(60);
    const auto altered = [&](const std::function<void(RawRecord&)>& change) {
        const auto before = topic;
        into_another_topic([&](auto& all) { change(all[9]); });
        const auto report = audit();
        topic = before;
        EXPECT_EQ(report.differences, 1);
        EXPECT_EQ(report.partitions.at(0).proved.n, 9);
        EXPECT_EQ(report.partitions.at(0).seen, head());
        if (findings.size() != 1) return std::to_string(findings.size()) + " findings";
        EXPECT_EQ(findings[0].kind, Kind::differing);
        EXPECT_EQ(findings[0].first, 10);
        EXPECT_EQ(findings[0].offset, 9);
        return findings[0].field;
    };
    const auto header = [](std::string_view name, const std::string& value) {
        return [name, value](RawRecord& record) {
            for (auto& [its_name, its_value] : record.headers) {
                if (its_name == name) its_value = value;
            }
        };
    };
    EXPECT_EQ(altered([](auto& record) { record.value = "wrong"; }), "payload");
    EXPECT_THAT(findings[0].what, AllOf(HasSubstr("does not fit the digest"),
                                        HasSubstr("partition 0 offset 9"), HasSubstr("0:10")));
    EXPECT_EQ(altered([](auto& record) { record.key = "thing-other"; }), "stream key");
    EXPECT_EQ(altered(header("recount-hash", std::string(64, '0'))), "hash");
    EXPECT_EQ(altered(header("recount-envelope", "\x0a\x01x")), "envelope");
    EXPECT_EQ(altered([](auto& record) { record.time = *record.time + std::chrono::seconds{1}; }),
              "time");
    EXPECT_EQ(altered(header("ce_time", "2026-01-01T00:00:00.000000Z")), "header ce_time");
    EXPECT_EQ(altered(header("recount-incarnation", std::string(36, '0'))),
              "header recount-incarnation");
    EXPECT_EQ(altered([](auto& record) { record.headers.emplace_back("more", ""); }),
              "header more");
    EXPECT_EQ(altered([](auto& record) { record.headers.erase(record.headers.begin()); }),
              "header ce_specversion");
}

TEST_F(AnAuditedTopic, ShowsAHoleAndThatItWasMended) {
    publish(60);
    const auto whole = records();
    into_another_topic([](auto& all) { all.erase(all.begin() + 4, all.begin() + 7); });
    Audit following{*store, options()};
    auto report = following.catch_up();
    EXPECT_EQ(report.differences, 3);
    EXPECT_EQ(report.partitions.at(0).proved.n, 4);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::missing);
    EXPECT_EQ(findings[0].first, 5);
    EXPECT_EQ(findings[0].last, 7);

    following.catch_up();
    EXPECT_EQ(findings.size(), 1U);  // told once

    produce_again(topic, topic.log(), 0, {whole.begin() + 4, whole.end()});
    report = following.catch_up();
    ASSERT_EQ(findings.size(), 2U);
    EXPECT_EQ(findings[1].kind, Kind::mended);
    EXPECT_EQ(report.partitions.at(0).proved.n, head());
    EXPECT_EQ(audit().verdict(), AuditVerdict::equal);  // who comes later sees nothing wrong
}

TEST_F(AnAuditedTopic, ShowsWhatCameBeforeItsPredecessor) {
    publish(60);
    into_another_topic([](auto& all) { std::swap(all[4], all[5]); });
    const auto report = audit();
    EXPECT_EQ(report.differences, 1);
    EXPECT_EQ(report.partitions.at(0).proved.n, 5);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::out_of_order);
    EXPECT_EQ(findings[0].first, 6);
    EXPECT_EQ(findings[0].last, 6);
}

TEST_F(AnAuditedTopic, PassesOverReplaysAndForeignRecordsAndCountsThem) {
    publish(60);
    const auto all = records();
    produce_again(topic, topic.log(), 0, {all.begin() + 3, all.begin() + 6});
    produce_foreign(topic, topic.log(), 0, "somebody", "else's");
    produce_in_transaction(topic, topic.log(), 0, 3, false);
    publish(20);
    produce_in_transaction(topic, topic.log(), 0, 3, false);
    const auto report = audit();
    EXPECT_EQ(report.verdict(), AuditVerdict::equal) << report.unknown;
    EXPECT_EQ(report.proved(), 80);
    EXPECT_EQ(report.replayed, 3);
    EXPECT_EQ(report.foreign, 1);
    ASSERT_EQ(findings.size(), 2U);
    EXPECT_EQ(findings[0].kind, Kind::replayed);
    EXPECT_EQ(findings[0].first, 4);
    EXPECT_EQ(findings[0].last, 6);
    EXPECT_EQ(findings[1].kind, Kind::foreign);
    EXPECT_THAT(findings[1].what, HasSubstr("offset " + std::to_string(findings[1].offset)));
}

TEST_F(AnAuditedTopic, ShowsAReplayThatIsNotEqual) {
    publish(60);
    auto second = records().at(1);
    second.value = "wrong";
    produce_again(topic, topic.log(), 0, {second});
    const auto report = audit();
    EXPECT_EQ(report.differences, 1);
    EXPECT_EQ(report.partitions.at(0).proved.n, 0);  // proved before, and not any more
    EXPECT_EQ(findings.at(0).first, 2);
}

TEST_F(AnAuditedTopic, ShowsAPayloadThatWasChangedInTheStore) {
    publish(60);
    execute("update event set payload = '\\x00' where partition = 0 and position = 7");
    const auto report = audit();
    EXPECT_EQ(report.differences, 1);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].field, "store");
    EXPECT_EQ(findings[0].first, 7);
    EXPECT_EQ(report.partitions.at(0).seen, head());
}

TEST_F(AnAuditedTopic, ShowsAnEndThatWasLost) {
    publish(60);
    Audit following{*store, options()};
    following.catch_up();
    delete_topic(topic, topic.log());
    ASSERT_TRUE(eventually([&] {
        try {
            create_plain_topic(topic, topic.log(), 2, {{"retention.ms", "-1"}});
            return true;
        } catch (const std::exception&) {
            return false;
        }
    }));
    findings.clear();
    AuditReport report;
    EXPECT_TRUE(eventually([&] {
        try {
            report = following.catch_up();
            return true;
        } catch (const Unavailable&) {
            return false;  // the new partitions have no leaders yet
        }
    }));
    EXPECT_EQ(report.differences, 60);
    EXPECT_EQ(findings.at(0).kind, Kind::missing);
    EXPECT_THAT(findings.at(0).what, HasSubstr("the relay knew them"));
    EXPECT_EQ(report.proved(), 0);
}

}  // namespace
}  // namespace recount::test
