#include <gtest/gtest.h>

#include "queued_commands.hpp"
#include "store_fixture.hpp"

namespace {

using namespace recount;
using namespace recount::test;

class BegunAccount : public AccountTest {
protected:
    BegunAccount() { static_cast<void>(accounts_.handle("1", deposit(10))); }
};

using CommandsOfOneStream = QueuedCommands<BegunAccount>;

TEST_F(CommandsOfOneStream, ShareAnAppendEachDecidedOnWhatTheEarlierOnesMade) {
    begin(deposit(1));
    begin(withdraw(8));
    begin(withdraw(4), {.command_id = "c-3"});
    begin(withdraw(3));
    end();
    EXPECT_EQ(said_, (std::map<std::size_t, std::string>{
                         {0, "done"}, {1, "done"}, {2, "too_little"}, {3, "done"}}));
    EXPECT_EQ(streams_.appends, 2) << "one, and one for all that waited";
    EXPECT_EQ(streams_.last.size(), 3U);
    EXPECT_EQ(others_.load("1").state.balance, 0);
    const int reads = streams_.reads;
    EXPECT_TRUE(accounts_.handle("1", deposit(1)));
    EXPECT_EQ(streams_.reads, reads) << "the state that they left is known";
    EXPECT_EQ(others_.load("1").state.balance, 1);
}

TEST_F(CommandsOfOneStream, AreDecidedAgainWhenOthersWereFaster) {
    second_ = [this] {
        second_ = nullptr;
        static_cast<void>(others_.handle("1", withdraw(5)));
    };
    begin(deposit(1));
    begin(withdraw(6));
    begin(withdraw(5));
    end();
    EXPECT_EQ(said_,
              (std::map<std::size_t, std::string>{{0, "done"}, {1, "done"}, {2, "too_little"}}));
    EXPECT_EQ(others_.load("1").state.balance, 0);
    EXPECT_EQ(head(*store_), Version{4}) << "a refusal without an id is not recorded";
}

TEST_F(CommandsOfOneStream, AreNotDecidedOnOneThatOnlySeemsToHaveHappened) {
    static_cast<void>(others_.handle("1", deposit(2), {.command_id = "c-2"}));
    begin(deposit(1));
    begin(deposit(2), {.command_id = "c-2"});
    begin(withdraw(14));
    begin(withdraw(13));
    end();
    EXPECT_EQ(said_, (std::map<std::size_t, std::string>{
                         {0, "done"}, {1, "done before"}, {2, "too_little"}, {3, "done"}}));
    EXPECT_EQ(others_.load("1").state.balance, 0);
}

TEST_F(CommandsOfOneStream, FailByThemselves) {
    static_cast<void>(others_.handle("2", deposit(2), {.command_id = "c-2"}));
    begin(deposit(1));
    begin(deposit(3));
    begin(deposit(4), {.command_id = "c-2"});                     // another command's id
    begin(deposit(5), {.command_id = std::string(10'000, 'x')});  // breaks a limit
    begin(deposit(6));
    end();
    EXPECT_EQ(said_[0], "done");
    EXPECT_EQ(said_[1], "done");
    EXPECT_NE(said_[2].find("was used before"), std::string::npos) << said_[2];
    EXPECT_NE(said_[3].find("command"), std::string::npos) << said_[3];
    EXPECT_EQ(said_[4], "done");
    EXPECT_EQ(others_.load("1").state.balance, 20);
    EXPECT_EQ(accounts_.load("1").state.balance, 20) << "nothing is kept of what was not committed";
    EXPECT_EQ(accounts_.handle("1", withdraw(21)).rejection().code, "too_little");
}

TEST_F(CommandsOfOneStream, AreNotDecidedOnAStateThatIsHalfFolded) {
    begin(open("somebody with a name that is not short"));
    begin(deposit(2));
    begin(deposit(unlucky));
    begin(open("somebody else"));
    end();
    EXPECT_EQ(said_, (std::map<std::size_t, std::string>{
                         {0, "done"}, {1, "done"}, {2, "unlucky"}, {3, "taken"}}));
    EXPECT_EQ(others_.load("1").state.balance, 12);
    EXPECT_TRUE(accounts_.handle("1", withdraw(12)));
}

TEST_F(CommandsOfOneStream, DoNotFailOnAStateThatNeverCameToBe) {
    second_ = [this] {
        second_ = nullptr;
        throw Unavailable("away");
    };
    begin(deposit(1));
    begin(deposit(5));
    begin(deposit(choosy));  // which the one before it would spoil
    end();
    EXPECT_EQ(said_, (std::map<std::size_t, std::string>{{0, "done"}, {1, "away"}, {2, "done"}}));
    EXPECT_EQ(others_.load("1").state.balance, 11 + choosy);
}

TEST_F(CommandsOfOneStream, AreAllToldThatTheStoreIsAway) {
    second_ = [] { throw Unavailable("away"); };
    begin(deposit(1));
    begin(deposit(2));
    begin(deposit(3));
    end();
    EXPECT_EQ(said_, (std::map<std::size_t, std::string>{{0, "done"}, {1, "away"}, {2, "away"}}));
    EXPECT_EQ(streams_.appends, 2);
    second_ = nullptr;
    EXPECT_TRUE(accounts_.handle("1", withdraw(11)));
}

}  // namespace
