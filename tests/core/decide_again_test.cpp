#include <recount/core/error.hpp>

#include <gtest/gtest.h>

#include "queued_commands.hpp"
#include "store_fixture.hpp"

namespace {

using namespace recount;
using namespace recount::test;

/// What it decides on is out of date, and its store holds streams.
class DecidedAgain : public AccountTest {
protected:
    DecidedAgain() {
        static_cast<void>(accounts_.handle("1", deposit(10)));
        static_cast<void>(others_.handle("1", withdraw(4)));
        streams_.holds = true;
        streams_.appends = streams_.reads = 0;
    }
};

TEST_F(DecidedAgain, IsOnWhatTheConflictBrought) {
    EXPECT_TRUE(accounts_.handle("1", withdraw(6)));
    EXPECT_TRUE(accounts_.handle("1", deposit(3)));
    EXPECT_EQ(streams_.appends, 2);
    EXPECT_EQ(streams_.reads, 0) << "the state that it left is known";
    EXPECT_EQ(others_.load("1").state.balance, 3);
    EXPECT_EQ(accounts_.load("1").state.balance, 3);
}

TEST_F(DecidedAgain, MayBeARefusalThatIsRecorded) {
    const Outcome refused = accounts_.handle("1", withdraw(7), {.command_id = "c-1"});
    EXPECT_EQ(refused.rejection().code, "too_little");
    EXPECT_EQ(streams_.appends, 1);
    EXPECT_EQ(store_->find_outcome("c-1")->kind, CommandOutcome::Kind::refused);
    EXPECT_TRUE(accounts_.handle("1", withdraw(6)));
    EXPECT_EQ(streams_.reads, 0);
}

TEST_F(DecidedAgain, IsNotWhatNeedsNoAppend) {
    EXPECT_EQ(accounts_.handle("1", withdraw(7)).rejection().code, "too_little");
    EXPECT_EQ(head(*store_), Version{2});
}

TEST_F(DecidedAgain, IsNotWhereACallerNamesTheVersion) {
    EXPECT_EQ(accounts_.handle("1", deposit(1), {.expected = Version{1}}).rejection().code,
              "version_changed");
    EXPECT_EQ(head(*store_), Version{2});
}

TEST_F(DecidedAgain, IsNotOnAnotherHistory) {
    const auto other = open_store("memory:", {.environment = &world_.environment()});
    Repository<Account> elsewhere{*other};
    static_cast<void>(elsewhere.handle("1", deposit(1)));
    static_cast<void>(elsewhere.handle("1", deposit(2)));
    streams_.become(*other);
    EXPECT_EQ(accounts_.handle("1", withdraw(4), {.command_id = "c-1"}).rejection().code,
              "too_little");
    EXPECT_TRUE(accounts_.handle("1", withdraw(3)));
}

TEST_F(DecidedAgain, ThrowsToItsCallerWhatItsFoldThrows) {
    Append append;
    append.metadata.command_id = "c-1";
    append.writes.push_back(
        {StreamName{"account", "1"}, Expected::any(), {new_event(deposited(unlucky))}});
    append.request = request_hash(append);
    static_cast<void>(store_->append(append));
    EXPECT_THROW(static_cast<void>(accounts_.handle("1", deposit(1))), std::runtime_error);
    EXPECT_EQ(head(*store_), Version{3});
}

TEST_F(DecidedAgain, IsNotOnAPartOfWhatWasMissed) {
    Repository<Account> small{streams_, {.page = 1}};
    static_cast<void>(small.load("1"));
    for (int i = 0; i < 3; ++i) static_cast<void>(others_.handle("1", deposit(1)));
    EXPECT_TRUE(small.handle("1", withdraw(6)));
    EXPECT_EQ(streams_.appends, 2) << "more was missed than a page brings";
    EXPECT_EQ(others_.load("1").state.balance, 3);
    EXPECT_EQ(small.load("1").state.balance, 3);
}

TEST_F(DecidedAgain, IsNotOnAPageThatLacksTheBeginning) {
    Conflict conflict;
    conflict.missed.push_back(
        store_->read_stream(StreamName{"account", "1"}, {.from = Version{2}}));
    ASSERT_TRUE(conflict.missed.front().end);
    bool asked = false;
    streams_.before_append = [&] {
        asked = true;
        EXPECT_FALSE(streams_.last.front().decide_again(conflict));
    };
    EXPECT_TRUE(accounts_.handle("2", deposit(1)));
    EXPECT_TRUE(asked);
}

/// A first command is on its way while the others wait; the next append is of all that waited.
using DecidedAgainTogether = QueuedCommands<DecidedAgain>;

TEST_F(DecidedAgainTogether, AreThoseThatWaited) {
    begin(deposit(1));  // 7
    begin(withdraw(3));
    begin(withdraw(3), {.command_id = "c-2"});
    begin(withdraw(1));
    second_ = [this] {
        second_ = nullptr;
        static_cast<void>(others_.handle("1", withdraw(2)));
    };
    end();
    EXPECT_EQ(said_, (std::map<std::size_t, std::string>{
                         {0, "done"}, {1, "done"}, {2, "too_little"}, {3, "done"}}));
    EXPECT_EQ(streams_.appends, 2);
    EXPECT_EQ(streams_.reads, 0);
    EXPECT_EQ(accounts_.load("1").state.balance, 1);
    EXPECT_EQ(others_.load("1").state.balance, 1);
}

TEST_F(DecidedAgainTogether, AreNotThoseBehindOneThatCannot) {
    Append append;
    append.metadata.command_id = "c-9";
    append.writes.push_back(
        {StreamName{"account", "1"}, Expected::any(), {new_event(deposited(unlucky))}});
    append.request = request_hash(append);
    begin(deposit(1));
    begin(deposit(2));
    begin(deposit(3));
    second_ = [&] {
        second_ = nullptr;
        static_cast<void>(store_->append(append));
    };
    end();
    EXPECT_EQ(said_,
              (std::map<std::size_t, std::string>{{0, "done"}, {1, "unlucky"}, {2, "unlucky"}}));
    EXPECT_EQ(head(*store_), Version{4});
}

/// A store may ask, and find in the end that what it had sent before was committed.
TEST(ADecision, IsToldFromAnotherOne) {
    AppendResult result;
    result.kind = AppendResult::Kind::committed;
    result.outcome.emplace().streams.push_back(
        {StreamName{"account", "1"}, Version{3}, Version{4}, Position{Partition{0}, 3}});
    const auto decided = [](std::int64_t on, std::int64_t after) {
        Decided<Account> one{Version{on}, {}};
        one.after.version = Version{after};
        return one;
    };
    EXPECT_TRUE(decided(2, 4).is(result));
    EXPECT_FALSE(decided(3, 5).is(result));
    EXPECT_FALSE(decided(3, 4).is(result));
    EXPECT_FALSE(decided(2, 3).is(result));
    EXPECT_FALSE(decided(2, 2).is(result));
    result.outcome->streams.clear();
    EXPECT_TRUE(decided(2, 2).is(result));
    EXPECT_FALSE(decided(2, 3).is(result));
    result.kind = AppendResult::Kind::repeated;
    EXPECT_FALSE(decided(2, 2).is(result));
}

}  // namespace
