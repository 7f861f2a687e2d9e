#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "core/queued_commands.hpp"
#include "core/store_fixture.hpp"
#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "support/tcp_proxy.hpp"

#include <thread>
#include <vector>

namespace recount::test {
namespace {

std::int64_t verified(EventStore& store) {
    std::int64_t count = 0;
    for (const LogHead& head : store.verify_chain()) count += head.n;
    return count;
}

/// Two programs with commands for one account. This one is watched; what it knows is out of date.
class CommandThatLost : public testing::Test {
protected:
    CommandThatLost() {
        static_cast<void>(accounts_.handle("1", open("Ada")));
        static_cast<void>(accounts_.handle("1", deposit(10)));
        static_cast<void>(others_.handle("1", withdraw(4)));
        streams_.appends = streams_.reads = 0;
    }

    OwnSchema schema_;
    TcpProxy proxy_{port_of(postgres_url())};
    const std::unique_ptr<EventStore> store_ = open_store(proxy_.url_through(schema_.url()));
    const std::unique_ptr<EventStore> other_ = open_store(schema_.url());
    Watched streams_{*store_};
    Repository<Account> accounts_{streams_};
    Repository<Account> others_{*other_};
};

TEST_F(CommandThatLost, IsDecidedAgainWhileTheStoreHoldsTheStream) {
    EXPECT_TRUE(accounts_.handle("1", withdraw(6)));
    EXPECT_EQ(others_.load("1").state.balance, 0);
    EXPECT_TRUE(accounts_.handle("1", deposit(1)));
    EXPECT_EQ(streams_.appends, 2) << "one for each command";
    EXPECT_EQ(streams_.reads, 0) << "the state that it left is known";
    EXPECT_EQ(others_.load("1").state.balance, 1);
    EXPECT_EQ(verified(*store_), 5);
}

TEST_F(CommandThatLost, IsRefusedOnWhatThereIs) {
    const Outcome refused = accounts_.handle("1", withdraw(7), {.command_id = "c-1"});
    EXPECT_EQ(refused.rejection().code, "too_little");
    EXPECT_EQ(streams_.appends, 1);
    const auto recorded = store_->find_outcome("c-1");
    ASSERT_TRUE(recorded);
    EXPECT_EQ(recorded->kind, CommandOutcome::Kind::refused);
    EXPECT_TRUE(accounts_.handle("1", withdraw(6)));
    EXPECT_EQ(streams_.appends, 2);
    EXPECT_EQ(streams_.reads, 0);
}

TEST_F(CommandThatLost, IsNotDecidedOnAVersionThatItsCallerDidNotSee) {
    const Outcome refused = accounts_.handle("1", deposit(1), {.expected = Version{2}});
    EXPECT_EQ(refused.rejection().code, "version_changed");
    EXPECT_EQ(others_.load("1").version, Version{3});
}

TEST_F(CommandThatLost, ComesAgainWithATypeThatItsStoreHasNotWritten) {
    static_cast<void>(others_.handle("2", open("Bob")));
    static_cast<void>(accounts_.load("2"));
    static_cast<void>(others_.handle("2", deposit(5)));
    const auto fresh = open_store(schema_.url());
    Watched watched{*fresh};
    Repository<Account> accounts{watched};
    EXPECT_EQ(accounts.load("2").state.balance, 5);
    static_cast<void>(others_.handle("2", withdraw(5)));
    static_cast<void>(accounts.load("2"));
    static_cast<void>(others_.handle("2", deposit(3)));
    // At first Closed alone, then a Deposited as well.
    EXPECT_TRUE(accounts.handle("2", Close{}));
    EXPECT_EQ(watched.appends, 2);
    EXPECT_TRUE(others_.load("2").state.closed);
    EXPECT_EQ(others_.load("2").state.balance, 0);
}

TEST_F(CommandThatLost, HappensOnceThoughTheReplyToItsCommitIsLost) {
    proxy_.harm("commit", TcpProxy::Harm::cut_reply);
    const Outcome done = accounts_.handle("1", withdraw(6), {.command_id = "c-1"});
    EXPECT_EQ(proxy_.harmed(), 1);
    EXPECT_TRUE(done);
    EXPECT_FALSE(done.repeated());
    EXPECT_TRUE(accounts_.handle("1", deposit(1)));
    EXPECT_EQ(streams_.appends, 2);
    EXPECT_EQ(others_.load("1").state.balance, 1);
    EXPECT_EQ(verified(*other_), 5);
}

/// Those that wait behind a first one share the next append.
using CommandsThatLost = QueuedCommands<CommandThatLost>;

TEST_F(CommandsThatLost, AreDecidedAgainTogetherThoughTheReplyIsLost) {
    begin(deposit(1));  // 7
    begin(withdraw(3));
    begin(withdraw(3), {.command_id = "c-2"});
    begin(withdraw(1));
    second_ = [this] {
        second_ = nullptr;
        static_cast<void>(others_.handle("1", withdraw(2)));
        proxy_.harm("commit", TcpProxy::Harm::cut_reply);
    };
    end();
    EXPECT_EQ(proxy_.harmed(), 1);
    EXPECT_EQ(said_, (std::map<std::size_t, std::string>{
                         {0, "done"}, {1, "done"}, {2, "too_little"}, {3, "done"}}));
    EXPECT_EQ(streams_.appends, 2);
    EXPECT_EQ(streams_.reads, 0);
    EXPECT_EQ(accounts_.load("1").state.balance, 1);
    EXPECT_EQ(others_.load("1").state.balance, 1);
}

/// What the other program writes is as many events as the first of them would have.
TEST_F(CommandsThatLost, AreNotBelievedBecauseAVersionIsTheSame) {
    begin(deposit(1));  // 7
    begin(withdraw(4), {.command_id = "c-1"});
    begin(withdraw(3));
    second_ = [this] {
        second_ = nullptr;
        static_cast<void>(others_.handle("1", withdraw(7)));
    };
    end();
    EXPECT_EQ(said_, (std::map<std::size_t, std::string>{
                         {0, "done"}, {1, "too_little"}, {2, "too_little"}}));
    EXPECT_EQ(others_.load("1").state.balance, 0);
    EXPECT_EQ(accounts_.load("1").state.balance, 0);
}

TEST_F(CommandsThatLost, AreAllTriedAgainWhenMoreWasMissedThanAPage) {
    begin(deposit(1));  // 7
    begin(withdraw(3));
    begin(withdraw(4));
    second_ = [this] {
        second_ = nullptr;
        Deposit many;
        for (int i = 0; i < 900; ++i) many.add_parts(1);
        static_cast<void>(others_.handle("1", many));
        static_cast<void>(others_.handle("1", many));
    };
    end();
    EXPECT_EQ(said_, (std::map<std::size_t, std::string>{{0, "done"}, {1, "done"}, {2, "done"}}));
    EXPECT_EQ(others_.load("1").state.balance, 1'800);
}

TEST_F(CommandThatLost, IsTriedNoMoreThanItMayBe) {
    Repository<Account> once{streams_, {.attempts = 1}};
    static_cast<void>(once.load("1"));
    static_cast<void>(others_.handle("1", deposit(1)));
    EXPECT_THROW(static_cast<void>(once.handle("1", deposit(1))), Contended);
    EXPECT_EQ(streams_.appends, 1);
}

/// Programs that each have so many repositories for the same accounts.
struct Programs {
    int repositories;
    int attempts;  // of a command
};

class HotStreamOfManyPrograms : public testing::TestWithParam<Programs> {};
INSTANTIATE_TEST_SUITE_P(Each, HotStreamOfManyPrograms,
                         // Commands of one program queue in their repository: nothing is lost
                         // twice. Two of them get in each other's way as well.
                         testing::Values(Programs{1, 2}, Programs{2, 100}), [](const auto& each) {
                             return "WithRepositories" + std::to_string(each.param.repositories);
                         });

TEST_P(HotStreamOfManyPrograms, LetsEachCommandLoseOnce) {
    constexpr int programs = 4;
    constexpr int threads = 3;
    constexpr int rounds = 20;
    const OwnSchema schema;
    std::vector<std::unique_ptr<EventStore>> stores;
    std::vector<std::unique_ptr<Repository<Account>>> repositories;
    for (int program = 0; program < programs; ++program) {
        stores.push_back(open_store(schema.url()));
        for (int i = 0; i < GetParam().repositories; ++i) {
            repositories.push_back(std::make_unique<Repository<Account>>(
                *stores.back(), RepositoryOptions{.attempts = GetParam().attempts}));
        }
    }
    const auto write = [](Repository<Account>& accounts) {
        for (int round = 0; round < rounds; ++round) {
            EXPECT_NO_THROW(EXPECT_TRUE(accounts.handle("hot", deposit(1))));
        }
    };
    {
        std::vector<std::jthread> writing;
        for (const auto& accounts : repositories) {
            for (int i = 0; i < threads; ++i) writing.emplace_back(write, std::ref(*accounts));
        }
    }
    const std::int64_t all = std::ssize(repositories) * threads * rounds;
    for (const auto& accounts : repositories) {
        EXPECT_EQ(accounts->load("hot").state.balance, all);
    }
    EXPECT_EQ(verified(*stores.front()), all);
}

}  // namespace
}  // namespace recount::test
