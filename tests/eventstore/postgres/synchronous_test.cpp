#include <recount/core.hpp>
#include <recount/eventstore.hpp>
#include <recount/eventstore/postgres.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include "core/account.hpp"
#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/server_pair.hpp"
#include "eventstore/postgres/writers.hpp"
#include "support/eventually.hpp"

#include <thread>

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;

/// A primary that acknowledges only what its standby has.
class SynchronousPair : public testing::Test {
protected:
    /// On the promoted standby, behind what it took over.
    void expect_exact(const Writers& writers) {
        EXPECT_EQ(writers.turned_away(), 4U);
        declare_restored(pair_.url());
        const auto store = open_store(pair_.url());
        store->verify_chain();
        for (const AppendResult& result : writers.committed()) {
            const auto outcome = store->find_outcome(result.outcome->command_id);
            ASSERT_TRUE(outcome) << result.outcome->command_id << " was acknowledged and is gone";
            EXPECT_EQ(*outcome, *result.outcome);
        }
        for (const Append& append : writers.open()) {
            const Kind first = store->append(append).kind;
            EXPECT_TRUE(first == Kind::committed || first == Kind::repeated);
            EXPECT_EQ(store->append(append).kind, Kind::repeated);
        }
        std::size_t events = 0;
        for (const LogHead& head : store->verify_chain())
            events += static_cast<std::size_t>(head.n);
        EXPECT_EQ(events, 2 * (writers.committed().size() + writers.open().size()));
    }

    ServerPair pair_{ServerPair::Commits::wait_for_the_standby};
    std::unique_ptr<EventStore> store_ =
        open_store(pair_.url(), {.timeout = std::chrono::seconds{1}});
};

TEST_F(SynchronousPair, WhosePrimaryDiesUnderLoadHasAllItAcknowledgedAndNothingTwice) {
    Writers writers{*store_, 4};
    ASSERT_TRUE(eventually([&] { return writers.acknowledged() > 200; }));
    pair_.fail_over();
    ASSERT_TRUE(eventually([&] { return writers.turned_away() == 4; }));
    writers.stop();
    expect_exact(writers);
}

TEST_F(SynchronousPair, WhoseStandbyWasCutOffBeforeHasAllItAcknowledgedAndNothingTwice) {
    Writers writers{*store_, 4};
    ASSERT_TRUE(eventually([&] { return writers.acknowledged() > 100; }));
    pair_.cut_off();
    ASSERT_TRUE(eventually([&] { return pair_.waiting_commits() > 0; }));
    pair_.fail_over();
    ASSERT_TRUE(eventually([&] { return writers.turned_away() == 4; }));
    writers.stop();
    expect_exact(writers);
}

/// Waiting for the standby is given up again and again, as an operator or a time-out may.
class Impatience {
public:
    explicit Impatience(ServerPair& pair)
        : thread_([&pair](const std::stop_token& stop) {
              while (!stop.stop_requested()) pair.cancel_waiting_commits();
          }) {}

private:
    std::jthread thread_;
};

TEST_F(SynchronousPair, WhoseStandbyIsGoneAcknowledgesNothingUntilItIsBack) {
    const Append cancelled = append_to("cart-1"), waiting = append_to("order-1");
    Repository<Account> accounts{*store_};
    const CommandOptions first{.command_id = "first", .expected = Version{0}};
    static_cast<void>(store_->append(append_to("cart-1")));
    const auto import = [&] {
        bool given = false;
        return import_events(*store_, {.id = "file"}, [&]() -> std::optional<ImportedEvent> {
            if (std::exchange(given, true)) return std::nullopt;
            return ImportedEvent{StreamName::parse("file-1"), new_event(deposited(1))};
        });
    };
    pair_.cut_off();
    {
        const Impatience impatience{pair_};
        EXPECT_THROW(static_cast<void>(store_->append(cancelled)), OutcomeUnknown);
        // It is there, and a failover would lose it: nobody may be told that it happened.
        EXPECT_THROW(static_cast<void>(store_->append(cancelled)), OutcomeUnknown);
        EXPECT_THROW(
            static_cast<void>(
                open_store(pair_.url(), {.timeout = std::chrono::seconds{1}})->append(cancelled)),
            OutcomeUnknown);
        EXPECT_THROW(store_->void_command(cancelled.metadata.command_id), OutcomeUnknown);
        pqxx::connection connection{pair_.primary().database()};
        pqxx::work work{connection};
        EXPECT_THROW(static_cast<void>(append_and_commit(work, *store_, cancelled)),
                     OutcomeUnknown);
        EXPECT_THROW(static_cast<void>(accounts.handle("1", deposit(5), first)), OutcomeUnknown);
        EXPECT_THROW(static_cast<void>(accounts.handle("1", deposit(5), first)), OutcomeUnknown);
        EXPECT_THROW(static_cast<void>(import()), OutcomeUnknown);
        EXPECT_THROW(static_cast<void>(import()), OutcomeUnknown);
    }
    EXPECT_THROW(static_cast<void>(store_->append(waiting)),
                 OutcomeUnknown);  // as it is silent for too long

    pair_.reconnect();
    EXPECT_EQ(store_->append(cancelled).kind, Kind::repeated);
    EXPECT_EQ(store_->append(waiting).kind, Kind::repeated);
    EXPECT_TRUE(accounts.handle("1", deposit(5), first).repeated());
    EXPECT_EQ(import().repeated, 1);
    EXPECT_EQ(version_of(*store_, "cart-1"), 2);
    EXPECT_EQ(version_of(*store_, "order-1"), 1);
    store_->verify_chain();
}

}  // namespace
}  // namespace recount::test
