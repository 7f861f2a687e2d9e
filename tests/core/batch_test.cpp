#include <gtest/gtest.h>

#include <stdexcept>
#include <tuple>
#include <vector>

#include "store_fixture.hpp"

namespace {

using namespace recount;
using namespace recount::test;

/// Another fold of the same streams.
struct Tally {
    static constexpr std::string_view category = "account";
    using Event = Events<Opened, Deposited, Closed>;
    int deposits = 0;
};
Tally evolve(Tally tally, const Opened&) { return tally; }
Tally evolve(Tally tally, const Deposited&) {
    ++tally.deposits;
    return tally;
}
Tally evolve(Tally tally, const Closed&) { return tally; }
Decision<Tally> decide(const Tally& tally, const Close&) {
    if (tally.deposits == 0) return reject("empty");
    return Closed{};
}

/// A state that cannot take an amount of 13.
struct Brittle {
    static constexpr std::string_view category = "account";
    using Event = Events<Deposited>;
    std::vector<std::int64_t> amounts;
};
Brittle evolve(Brittle state, const Deposited& event) {
    if (event.amount() == 13) throw std::domain_error("unlucky");
    state.amounts.push_back(event.amount());
    return state;
}
Decision<Brittle> decide(const Brittle&, const Deposit& command) {
    if (command.amount() == 14) return std::tuple{deposited(1), deposited(13)};
    return deposited(command.amount());
}
Decision<Brittle> decide(const Brittle& state, const Withdraw& command) {
    if (state.amounts.empty()) return reject("empty");
    if (command.amount() == 15) return reject("too_much");
    return deposited(-command.amount());
}

class ABatch : public AccountTest {
protected:
    Batch batch_{streams_};
};
class AnOvertakenBatch : public ABatch {};

TEST_F(ABatch, DecidesEachCommandOnWhatTheEarlierOnesMade) {
    accounts_.enqueue(batch_, "1", deposit(5));
    accounts_.enqueue(batch_, "1", withdraw(3));
    accounts_.enqueue(batch_, "2", deposit(1));
    accounts_.enqueue(batch_, "1", withdraw(3));
    accounts_.enqueue(batch_, "1", withdraw(2));
    EXPECT_EQ(batch_.size(), 5U);
    EXPECT_EQ(streams_.appends, 0);

    const auto outcomes = batch_.commit();
    ASSERT_EQ(outcomes.size(), 5U);
    EXPECT_EQ(outcomes[0].version(), Version{1});
    EXPECT_EQ(outcomes[1].version(), Version{2});
    EXPECT_EQ(outcomes[2].version(), Version{1});
    EXPECT_EQ(outcomes[3].rejection().code, "too_little");
    EXPECT_EQ(outcomes[4].version(), Version{3});
    EXPECT_EQ(streams_.appends, 1) << "one transaction";
    EXPECT_EQ(batch_.size(), 0U);
    EXPECT_EQ(others_.load("1").state.balance, 0);
}

TEST_F(ABatch, IsUsedAgain) {
    accounts_.enqueue(batch_, "1", deposit(5));
    accounts_.enqueue(batch_, "1", deposit(6));
    ASSERT_EQ(batch_.commit().size(), 2U);
    accounts_.enqueue(batch_, "1", withdraw(20));
    accounts_.enqueue(batch_, "1", withdraw(11));
    const auto outcomes = batch_.commit();
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].rejection().code, "too_little");
    EXPECT_EQ(outcomes[1].version(), Version{3});
    EXPECT_EQ(streams_.appends, 2);
}

TEST_F(ABatch, LeavesStatesThatNeedNoRead) {
    accounts_.enqueue(batch_, "1", deposit(5));
    accounts_.enqueue(batch_, "1", deposit(6));
    batch_.commit();
    const int reads = streams_.reads;
    EXPECT_EQ(accounts_.handle("1", withdraw(11)).version(), Version{3});
    EXPECT_EQ(streams_.reads, reads);
    EXPECT_EQ(streams_.appends, 2);
    EXPECT_EQ(accounts_.load("1").state.balance, 0);
}

TEST_F(ABatch, LetsTheSessionGrow) {
    Session session;
    accounts_.enqueue(batch_, "1", deposit(5), {.session = &session});
    accounts_.enqueue(batch_, "1", withdraw(9), {.session = &session});
    EXPECT_TRUE(session.token().empty());
    const auto outcomes = batch_.commit();
    ASSERT_EQ(session.token().stores().size(), 1U);
    EXPECT_TRUE(session.token().stores()[0].positions.cover(outcomes[0].reached().positions));
}

TEST_F(ABatch, RemembersEachCommand) {
    accounts_.enqueue(batch_, "1", deposit(5), {.command_id = "c-1"});
    accounts_.enqueue(batch_, "1", withdraw(9), {.command_id = "c-2"});
    batch_.commit();
    EXPECT_TRUE(others_.handle("1", deposit(5), {.command_id = "c-1"}).repeated());
    EXPECT_TRUE(others_.handle("1", withdraw(9), {.command_id = "c-2"}).repeated());
}

TEST_F(ABatch, GivesARepeatItsFirstOutcome) {
    static_cast<void>(accounts_.handle("1", deposit(5), {.command_id = "c-1"}));
    accounts_.enqueue(batch_, "1", deposit(5), {.command_id = "c-1"});
    accounts_.enqueue(batch_, "1", withdraw(10), {.command_id = "c-2"});
    accounts_.enqueue(batch_, "1", withdraw(5), {.command_id = "c-3"});
    accounts_.enqueue(batch_, "1", withdraw(5), {.command_id = "c-3"});
    const auto outcomes = batch_.commit();
    EXPECT_TRUE(outcomes[0].repeated());
    EXPECT_TRUE(outcomes[1].refused()) << "the five are there once only";
    EXPECT_TRUE(outcomes[2]);
    EXPECT_TRUE(outcomes[3].repeated());
    EXPECT_EQ(others_.load("1").state.balance, 0);
    EXPECT_EQ(accounts_.load("1").state.balance, 0);
}

TEST_F(ABatch, GoesOnWhenOneCommandIsAnError) {
    static_cast<void>(others_.handle("1", deposit(5), {.command_id = "c-1"}));
    accounts_.enqueue(batch_, "1", deposit(6), {.command_id = "c-1"});
    accounts_.enqueue(batch_, "2", deposit(7), {.command_id = "c-2"});
    EXPECT_THROW(batch_.commit(), CommandReused);
    EXPECT_EQ(batch_.size(), 2U) << "unchanged";
    EXPECT_EQ(others_.load("2").state.balance, 7);
    EXPECT_THROW(batch_.commit(), CommandReused);
    EXPECT_EQ(others_.load("2").state.balance, 7) << "and once only";
    batch_.clear();
    EXPECT_TRUE(batch_.commit().empty());
    EXPECT_EQ(accounts_.load("1").state.balance, 5);
}

TEST_F(ABatch, DecidesByItselfWhatIsAddedBehindAnError) {
    Repository<Brittle> brittle{streams_};
    static_cast<void>(others_.handle("1", deposit(5), {.command_id = "c-1"}));
    static_cast<void>(brittle.handle("2", deposit(7)));
    brittle.enqueue(batch_, "1", deposit(6), {.command_id = "c-1"});
    brittle.enqueue(batch_, "2", withdraw(15), {.command_id = "c-2"});
    EXPECT_THROW(batch_.commit(), CommandReused);
    brittle.enqueue(batch_, "2", withdraw(7), {.command_id = "c-3"});
    EXPECT_THROW(batch_.commit(), CommandReused);
    EXPECT_EQ(brittle.load("2").state.amounts, (std::vector<std::int64_t>{7, -7}));
}

TEST_F(ABatch, StillDecidesAgainWhatComesAfterAnError) {
    static_cast<void>(others_.handle("1", deposit(5), {.command_id = "c-1"}));
    accounts_.load("2");
    accounts_.enqueue(batch_, "1", deposit(6), {.command_id = "c-1"});
    accounts_.enqueue(batch_, "2", deposit(7), {.command_id = "c-2"});
    static_cast<void>(others_.handle("2", deposit(1)));
    EXPECT_THROW(batch_.commit(), CommandReused);
    EXPECT_EQ(others_.load("2").state.balance, 8);
}

TEST_F(ABatch, MayBeCommittedAgainAfterTheStoreWasLost) {
    accounts_.enqueue(batch_, "1", deposit(5));
    streams_.before_append = [] { throw Unavailable("gone"); };
    EXPECT_THROW(batch_.commit(), Unavailable);
    streams_.before_append = nullptr;
    EXPECT_EQ(batch_.commit().size(), 1U);
    EXPECT_EQ(others_.load("1").state.balance, 5);
}

TEST_F(ABatch, TakesStatesOfSeveralKindsOnOneStream) {
    Repository<Tally> tallies{streams_};
    accounts_.enqueue(batch_, "1", deposit(5));
    tallies.enqueue(batch_, "1", Close{});
    const auto outcomes = batch_.commit();
    EXPECT_TRUE(outcomes[0]);
    EXPECT_TRUE(outcomes[1]) << "decided again on the deposit";
    EXPECT_TRUE(others_.load("1").state.closed);
}

TEST_F(ABatch, OfAnotherStoreIsRefused) {
    EXPECT_THROW(others_.enqueue(batch_, "1", deposit(5)), InvalidArgument);
}

TEST_F(ABatch, CanBeSparedTheCommandsThatHappened) {
    const StreamName stream{"account", "1"};
    EXPECT_FALSE(find_outcome(streams_, stream, deposit(5), "c-2"));
    const Outcome first = accounts_.handle("1", deposit(5), {.command_id = "c-2"});
    EXPECT_EQ(find_outcome(streams_, stream, deposit(5), "c-2"), first.details());
    EXPECT_THROW(find_outcome(streams_, stream, deposit(6), "c-2"), CommandReused);
    EXPECT_THROW(find_outcome(streams_, {"account", "2"}, deposit(5), "c-2"), CommandReused);
    EXPECT_THROW(find_outcome(streams_, stream, withdraw(5), "c-2"), CommandReused);
    streams_.void_command("c-3");
    EXPECT_TRUE(find_outcome(streams_, stream, deposit(5), "c-3")) << "it never happens";
}

TEST_F(ABatch, KeepsNothingOfAStateThatCouldNotTakeItsEvents) {
    Repository<Brittle> brittle{streams_};
    static_cast<void>(brittle.handle("1", deposit(1)));
    for (const int unlucky : {13, 14}) {
        for (const bool preceded : {false, true}) {
            Batch batch{streams_};
            if (preceded) brittle.enqueue(batch, "1", deposit(2));
            EXPECT_THROW(brittle.enqueue(batch, "1", deposit(unlucky)), std::domain_error);
            if (preceded) brittle.enqueue(batch, "1", deposit(3));
            brittle.enqueue(batch, "2", deposit(4));
            for (const Outcome& outcome : batch.commit()) EXPECT_TRUE(outcome);
            for (const char* id : {"1", "2"}) {
                const auto as_cached = brittle.load(id);
                const auto as_stored = Repository<Brittle>{streams_}.load(id);
                EXPECT_EQ(as_cached.state.amounts, as_stored.state.amounts) << unlucky << preceded;
                EXPECT_EQ(as_cached.version, as_stored.version) << unlucky << preceded;
            }
        }
    }
    EXPECT_EQ(brittle.load("1").state.amounts, (std::vector<std::int64_t>{1, 2, 3, 2, 3}));
    Batch nothing_else{streams_};
    EXPECT_THROW(brittle.enqueue(nothing_else, "1", deposit(13)), std::domain_error);
    nothing_else.commit();
    EXPECT_EQ(brittle.load("1").version, Version{5});
}

TEST_F(ABatch, IsNotWhatItTakesToKeepEventsThatEvolveRefusesOutOfAStream) {
    Repository<Brittle> brittle{streams_};
    EXPECT_THROW(static_cast<void>(brittle.handle("1", deposit(13))), std::domain_error);
    EXPECT_EQ(brittle.load("1").version, Version{0}) << "else nobody could load it again";
    EXPECT_TRUE(brittle.handle("1", deposit(1)));
}

TEST_F(AnOvertakenBatch, DecidesAgainWhatOthersChanged) {
    static_cast<void>(accounts_.handle("1", deposit(5)));
    accounts_.enqueue(batch_, "1", withdraw(4), {.command_id = "c-1"});
    accounts_.enqueue(batch_, "2", deposit(1), {.command_id = "c-2"});
    accounts_.enqueue(batch_, "1", withdraw(1), {.command_id = "c-3"});
    static_cast<void>(others_.handle("1", withdraw(3)));
    const auto outcomes = batch_.commit();
    EXPECT_EQ(outcomes[0].rejection().code, "too_little");
    EXPECT_TRUE(outcomes[1]);
    EXPECT_TRUE(outcomes[2]);
    EXPECT_EQ(others_.load("1").state.balance, 1);
    EXPECT_EQ(accounts_.load("1").state.balance, 1) << "what the batch had made is forgotten";
    EXPECT_EQ(accounts_.handle("1", withdraw(1)).version(), Version{4});
}

TEST_F(AnOvertakenBatch, ForgetsOnlyTheStreamThatOthersChanged) {
    static_cast<void>(accounts_.handle("1", deposit(5)));
    accounts_.enqueue(batch_, "1", withdraw(4));
    accounts_.enqueue(batch_, "2", deposit(1));
    static_cast<void>(others_.handle("1", withdraw(3)));
    ASSERT_EQ(batch_.commit().size(), 2U);
    const int reads = streams_.reads;
    EXPECT_EQ(accounts_.handle("2", deposit(1)).version(), Version{2});
    EXPECT_EQ(streams_.reads, reads);
    EXPECT_EQ(accounts_.load("1").state.balance, 2);
}

TEST_F(AnOvertakenBatch, DecidesAgainWhereOthersWroteAsManyEventsAsItselfHad) {
    static_cast<void>(accounts_.handle("1", deposit(5)));
    accounts_.enqueue(batch_, "1", deposit(4));
    accounts_.enqueue(batch_, "1", withdraw(9));
    static_cast<void>(others_.handle("1", withdraw(5)));
    const auto outcomes = batch_.commit();
    EXPECT_TRUE(outcomes[0]);
    EXPECT_EQ(outcomes[1].rejection().code, "too_little") << "the stream is at the version, but";
    EXPECT_EQ(others_.load("1").state.balance, 4);
}

TEST_F(AnOvertakenBatch, RefusesWhatWasExpectedAtAnotherVersion) {
    accounts_.enqueue(batch_, "1", deposit(1), {.expected = Version{0}});
    accounts_.enqueue(batch_, "1", deposit(1), {.expected = Version{1}});
    accounts_.enqueue(batch_, "1", deposit(1), {.expected = Version{7}});
    const auto outcomes = batch_.commit();
    EXPECT_TRUE(outcomes[0]);
    EXPECT_TRUE(outcomes[1]);
    EXPECT_EQ(outcomes[2].rejection().code, "version_changed");
    EXPECT_EQ(head(*store_), Version{2});
}

TEST_F(AnOvertakenBatch, KeepsNoStateThatIsOlderThanWhatItDid) {
    accounts_.enqueue(batch_, "1", deposit(1), {.expected = Version{2}});  // not yet: by itself
    accounts_.enqueue(batch_, "1", deposit(1));
    accounts_.enqueue(batch_, "1", deposit(1));
    EXPECT_EQ(batch_.commit()[0].version(), Version{3});
    const int appends = streams_.appends;
    EXPECT_EQ(accounts_.handle("1", deposit(1)).version(), Version{4});
    EXPECT_EQ(streams_.appends, appends + 1) << "no conflict";
}

}  // namespace
