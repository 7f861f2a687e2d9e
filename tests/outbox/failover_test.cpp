#include <recount/core/error.hpp>
#include <recount/eventstore/newest_heads.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/postgres/server_pair.hpp"
#include "outbox/kit.hpp"
#include "support/eventually.hpp"

#include <memory>

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

const auto undeclared =
    ThrowsMessage<Mismatch>(AllOf(HasSubstr("timeline"), HasSubstr("declare-restored")));

TEST(StoreThatFailedOverBehindItsTopic, IsPublishedAnewOnceThatIsDeclared) {
    ServerPair pair{ServerPair::Commits::do_not_wait};
    auto store = open_store(pair.url(), {.partitions = 2});
    const KafkaTopic topic = own_topic_for(*store);
    auto relay = std::make_unique<Relay>(*store, RelayOptions{.topic = topic});
    append_events(*store, 40);
    relay->catch_up();
    pair.catch_up();
    pair.cut_off();
    append_events(*store, 40);
    relay->catch_up();
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");

    pair.fail_over();
    EXPECT_THAT([&] { relay->catch_up(); }, undeclared);
    relay.reset();
    store = open_store(pair.url());
    EXPECT_THAT([&] { Relay(*store, {.topic = topic}).catch_up(); }, undeclared);

    declare_restored(pair.url());
    store = open_store(pair.url());
    append_events(*store, 30);
    // The lease that could not be given back has to run out.
    EXPECT_TRUE(eventually([&] {
        try {
            Relay{*store, {.topic = topic}}.catch_up();
            return true;
        } catch (const Fenced&) {
            return false;
        }
    }));
    EXPECT_EQ(differences(*store, topic, {.incarnation = 1}), "");
    EXPECT_TRUE(eventually([&] { return log.incarnations().size() == 2U; }));
    EXPECT_EQ(differences(*store, log), "");
    std::int64_t events = 0;
    for (const LogHead& head : store->verify_chain()) events += head.n;
    EXPECT_EQ(events, 70);
}

TEST(LogBesideAStandby, DoesNotTakeItsHeadsForThePrimarys) {
    ServerPair pair{ServerPair::Commits::do_not_wait};
    const auto store = open_store(pair.url(), {.partitions = 2});
    const KafkaTopic topic = own_topic_for(*store);
    append_events(*store, 4);
    Relay{*store, {.topic = topic}}.catch_up();
    pair.catch_up();
    const auto following = open_store(pair.standby().url("shop"));
    KafkaLog log{{.topic = topic, .store = following.get()}};
    EXPECT_EQ(log.heads(), store->heads());
    EXPECT_THROW(newest_heads(log), Unavailable);
    KafkaLog beside_the_primary{{.topic = topic, .store = store.get()}};
    EXPECT_EQ(newest_heads(beside_the_primary).heads, store->heads());
}

TEST(AuditOfAStandby, DoesNotCallExtraWhatMayBeOnThePrimary) {
    ServerPair pair{ServerPair::Commits::do_not_wait};
    const auto store = open_store(pair.url(), {.partitions = 2});
    const KafkaTopic topic = own_topic_for(*store);
    append_events(*store, 20);
    Relay{*store, {.topic = topic}}.catch_up();
    pair.catch_up();
    const auto following = open_store(pair.standby().url("shop"), {.read_only = true});
    Audit audit{*following, {.topic = topic}};
    EXPECT_EQ(audit.catch_up().proved(), 20);

    pair.cut_off();
    append_events(*store, 20);
    Relay{*store, {.topic = topic}}.catch_up();
    for (int pass = 0; pass < 2; ++pass) {
        const auto report = audit.catch_up();
        EXPECT_EQ(report.differences, 0);
        EXPECT_EQ(report.verdict(), AuditVerdict::unknown);
        EXPECT_THAT(report.unknown, HasSubstr("cannot be judged yet"));
    }
    pair.reconnect();
    pair.catch_up();
    EXPECT_EQ(audit.catch_up().verdict(), AuditVerdict::equal) << audit.report().unknown;
    EXPECT_EQ(audit.report().proved(), 40);
}

}  // namespace
}  // namespace recount::test
