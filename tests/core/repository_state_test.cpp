#include <gtest/gtest.h>

#include "store_fixture.hpp"

namespace {

using namespace recount;
using namespace recount::test;

class AStaleState : public AccountTest {};
class AStateToLoad : public AccountTest {};
class AStateOfATime : public AccountTest {};
class ASession : public AccountTest {};

TEST_F(AStaleState, DoesNotRefuseWhatIsRightByNow) {
    EXPECT_EQ(accounts_.load("1").state.balance, 0);
    static_cast<void>(accounts_.handle("1", deposit(1)));
    static_cast<void>(others_.handle("1", deposit(5)));
    EXPECT_TRUE(accounts_.handle("1", withdraw(6))) << "without an id, so nothing is appended";
}

TEST_F(AStaleState, IsNotReturnedByLoad) {
    static_cast<void>(accounts_.handle("1", deposit(1)));
    static_cast<void>(others_.handle("1", deposit(5)));
    EXPECT_EQ(accounts_.load("1").state.balance, 6);
}

TEST_F(AStaleState, OfAnotherHistoryIsDroppedThoughTheVersionIsTheSame) {
    auto other = open_store("memory:", {.environment = &world_.environment()});
    static_cast<void>(Repository<Account>{*other}.handle("1", deposit(100)));
    static_cast<void>(accounts_.handle("1", deposit(1)));
    EXPECT_EQ(accounts_.load("1").state.balance, 1);
    streams_.become(*other);
    EXPECT_EQ(accounts_.load("1").state.balance, 100);
}

TEST_F(AStaleState, OfALongerHistoryIsDropped) {
    auto other = open_store("memory:", {.environment = &world_.environment()});
    static_cast<void>(accounts_.handle("1", deposit(1)));
    static_cast<void>(accounts_.handle("1", deposit(2)));
    streams_.become(*other);
    EXPECT_EQ(accounts_.load("1").state.balance, 0);
    EXPECT_EQ(accounts_.load("1").version, Version{0});
    const int appends = streams_.appends;
    EXPECT_EQ(accounts_.handle("1", deposit(1)).version(), Version{1});
    EXPECT_EQ(streams_.appends, appends + 1) << "it is forgotten";
}

TEST_F(AStaleState, OfAnotherHistoryIsNotGoneOnFromAfterAConflict) {
    auto other = open_store("memory:", {.environment = &world_.environment()});
    static_cast<void>(Repository<Account>{*other}.handle("1", deposit(100)));
    static_cast<void>(Repository<Account>{*other}.handle("1", deposit(10)));
    static_cast<void>(accounts_.handle("1", deposit(1)));
    streams_.become(*other);
    EXPECT_TRUE(accounts_.handle("1", withdraw(1)));
    EXPECT_EQ(accounts_.load("1").state.balance, 109);
}

TEST_F(AStaleState, OfTheSameCommandWithOtherContentIsKnownByItsHash) {
    auto other = open_store("memory:", {.environment = &world_.environment()});
    static_cast<void>(Repository<Account>{*other}.handle("1", deposit(100), {.command_id = "c-1"}));
    static_cast<void>(others_.handle("1", deposit(1), {.command_id = "c-1"}));
    EXPECT_EQ(accounts_.load("1").state.balance, 1);
    streams_.become(*other);
    EXPECT_EQ(accounts_.load("1").state.balance, 100);
}

TEST_F(AStaleState, OfAnotherIncarnationIsNotUsed) {
    static_cast<void>(accounts_.handle("1", deposit(1)));
    StoreIdentity identity = streams_.identity();
    identity.incarnation = new_uuid7();
    streams_.identify(identity);
    const int reads = streams_.reads;
    static_cast<void>(accounts_.handle("1", deposit(1)));
    EXPECT_GT(streams_.reads, reads);
}

TEST_F(AStateToLoad, TakesOneReadOfTheStore) {
    static_cast<void>(others_.handle("1", deposit(1)));
    EXPECT_EQ(accounts_.load("1").state.balance, 1);
    EXPECT_EQ(streams_.reads, 1) << "of what is not cached";
    static_cast<void>(others_.handle("1", deposit(5)));
    EXPECT_EQ(accounts_.load("1").state.balance, 6);
    EXPECT_EQ(streams_.reads, 2) << "of what the cached state lacks";
    EXPECT_EQ(accounts_.load("2").state.balance, 0);
    EXPECT_EQ(streams_.reads, 3) << "of a stream that is not there";
}

TEST_F(AStateOfATime, IsFoldedUpToItPastWhatIsRemembered) {
    static_cast<void>(accounts_.handle("1", deposit(1)));
    static_cast<void>(accounts_.handle("1", deposit(2)));
    const Timestamp then = store_->read_stream({"account", "1"}).events.back().at.recorded_at;
    world_.advance(std::chrono::hours{1});
    static_cast<void>(accounts_.handle("1", deposit(4)));
    EXPECT_EQ(accounts_.load("1").state.balance, 7);
    EXPECT_EQ(accounts_.load_as_of("1", then).state.balance, 3);
    EXPECT_EQ(accounts_.load_as_of("1", then).version, Version{2});
    EXPECT_EQ(accounts_.load_as_of("1", then + std::chrono::hours{2}).state.balance, 7);
    EXPECT_EQ(accounts_.load_as_of("1", then - std::chrono::hours{2}).version, Version{0});
    EXPECT_EQ(accounts_.load("1").state.balance, 7) << "what is remembered stays as it is";
}

TEST_F(ASession, GrowsByWhatItWrites) {
    Session session;
    const Outcome outcome = accounts_.handle("1", deposit(1), {.session = &session});
    const auto stores = session.token().of(store_->identity().id);
    ASSERT_EQ(stores.size(), 1U);
    EXPECT_TRUE(stores[0].positions.cover(outcome.reached().positions));
    EXPECT_EQ(stores[0].positions.sum(), 1);
    EXPECT_EQ(stores[0].incarnation, store_->identity().incarnation);
}

TEST_F(ASession, GrowsByWhatItReads) {
    const Outcome written = others_.handle("1", deposit(1));
    static_cast<void>(others_.handle("2", deposit(1)));
    Session session;
    accounts_.load("1", &session);
    ASSERT_EQ(session.token().stores().size(), 1U);
    EXPECT_TRUE(session.token().stores()[0].positions.cover(written.reached().positions));
    EXPECT_EQ(session.token().stores()[0].positions.sum(), 1) << "it has not seen the other";
}

TEST_F(ASession, GrowsByWhatARefusalWasDecidedOn) {
    const Outcome written = others_.handle("1", open("ada"));
    for (const char* id : {"", "c-1"}) {
        Session session;
        static_cast<void>(
            accounts_.handle("1", open("bob"), {.session = &session, .command_id = id}));
        ASSERT_EQ(session.token().stores().size(), 1U);
        EXPECT_TRUE(session.token().stores()[0].positions.cover(written.reached().positions));
    }
}

TEST_F(ASession, GrowsByTheFirstOutcomeOfARepeat) {
    const Outcome written = others_.handle("1", deposit(1), {.command_id = "c-1"});
    Session session;
    static_cast<void>(
        accounts_.handle("1", deposit(1), {.session = &session, .command_id = "c-1"}));
    EXPECT_TRUE(session.token().stores().at(0).positions.cover(written.reached().positions));
}

TEST_F(ASession, IsInTheEnvelopesOfWhatItWritesNext) {
    Session session;
    static_cast<void>(accounts_.handle("1", deposit(1), {.session = &session}));
    const Token before = session.token();
    static_cast<void>(accounts_.handle("2", deposit(1), {.session = &session}));
    const auto page = store_->read_stream(StreamName{"account", "2"});
    EXPECT_EQ(page.events.at(0).at.after, before.stores());
}

TEST_F(ASession, OfAKnownStateKnowsWhereItStands) {
    Deposit parts;
    for (const int part : {1, 1, 1}) parts.add_parts(part);
    static_cast<void>(accounts_.handle("1", parts));
    const Outcome last = accounts_.handle("1", parts);
    Session session;
    EXPECT_TRUE(accounts_.handle("1", withdraw(9), {.session = &session}).refused());
    EXPECT_TRUE(session.token().stores().at(0).positions.cover(last.reached().positions));
}

}  // namespace
