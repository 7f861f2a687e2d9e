#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/private_server.hpp"
#include "eventstore/postgres/writers.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using std::chrono::seconds;

TEST(CrashedServer, HasEverythingItAcknowledgedAndNothingTwice) {
    PrivateServer server;
    const auto store = open_store(server.url("shop"), {.timeout = seconds{2}});
    Writers writers{*store, 4};
    for (std::size_t crash = 1; crash <= 3; ++crash) {
        const std::size_t before = writers.acknowledged();
        ASSERT_TRUE(eventually([&] { return writers.acknowledged() > before + 200; }));
        server.stop_immediately();
        server.start();
    }
    writers.stop();
    EXPECT_EQ(writers.turned_away(), 0U);
    EXPECT_FALSE(writers.committed().empty());
    for (const AppendResult& result : writers.committed()) {
        const auto outcome = store->find_outcome(result.outcome->command_id);
        ASSERT_TRUE(outcome) << result.outcome->command_id << " was acknowledged and is gone";
        EXPECT_EQ(*outcome, *result.outcome);
    }
    // What was left open is made certain by sending it again.
    std::size_t events = 2 * writers.committed().size();
    for (const Append& append : writers.open()) {
        EXPECT_TRUE(store->append(append).outcome);
        events += 2;
    }
    std::size_t stored = 0;
    for (const LogHead& head : store->verify_chain()) stored += static_cast<std::size_t>(head.n);
    EXPECT_EQ(stored, events);
}

TEST(CrashedServer, IsReachedAgainByAStoreThatWasIdle) {
    PrivateServer server;
    const auto store = open_store(server.url("shop"));
    static_cast<void>(store->append(append_to("cart-1")));
    server.stop_immediately();
    EXPECT_THROW(static_cast<void>(store->append(append_to("cart-1"))), Unavailable);
    server.start();
    EXPECT_EQ(store->append(append_to("cart-1")).kind, AppendResult::Kind::committed);
    EXPECT_EQ(version_of(*store, "cart-1"), 2);
}

void expect_refused(const std::string& setting, const std::string& named) {
    PrivateServer server{setting};
    try {
        open_store(server.url("shop"));
        ADD_FAILURE() << setting << " was accepted";
    } catch (const Mismatch& mismatch) {
        EXPECT_THAT(mismatch.what(), testing::HasSubstr(named));
    }
}

TEST(UnsafeServer, IsRefusedWithoutFsync) { expect_refused("fsync = off\n", "fsync = off"); }

TEST(UnsafeServer, IsRefusedWithoutFullPageWrites) {
    expect_refused("full_page_writes = off\n", "full_page_writes");
}

TEST(UnsafeServer, CannotWeakenWhatACommitPromises) {
    PrivateServer server{
        "synchronous_commit = off\ndefault_transaction_isolation = 'serializable'\n"
        "default_transaction_read_only = on\n"};
    const auto store = open_store(server.url("shop"));
    EXPECT_EQ(store->append(append_to("cart-1")).kind, AppendResult::Kind::committed);
    const auto database = Database::open(server.url("shop"));
    const auto transaction = database->begin(SqlMode::write);
    EXPECT_EQ(transaction->query("show synchronous_commit").text(0, 0), "on");
    EXPECT_EQ(transaction->query("show transaction_isolation").text(0, 0), "read committed");
}

}  // namespace
}  // namespace recount::test
