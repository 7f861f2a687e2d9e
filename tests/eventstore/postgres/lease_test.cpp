#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "support/eventually.hpp"

#include <array>

namespace recount::test {
namespace {

using std::chrono::milliseconds;
using testing::IsEmpty;
using testing::SizeIs;

const std::array all{Partition{0}, Partition{1}, Partition{2}};

class TwoProcesses : public testing::Test {
protected:
    TwoProcesses() : store_(open_store(schema_.url())) {}

    std::unique_ptr<Leases> process(Duration lifetime = milliseconds{600}) {
        return Leases::open(schema_.url(), {.lifetime = lifetime});
    }

    OwnSchema schema_;
    std::unique_ptr<EventStore> store_;
};

/// A scheduler whose tasks never run: a process that was stopped and renews nothing.
class StoppedScheduler final : public Scheduler {
public:
    std::unique_ptr<Signal> signal() override { return Environment::system().scheduler.signal(); }
    std::unique_ptr<Task> spawn(std::string, std::function<void(std::stop_token)>) override {
        return nullptr;
    }
    bool sleep(Duration, std::stop_token) override { return true; }
};

TEST_F(TwoProcesses, ShareWhatIsFree) {
    const auto one = process();
    const auto two = process();
    const auto first = one->acquire("relay", std::span{all}.first(2));
    EXPECT_THAT(first, SizeIs(2));
    const auto rest = two->acquire("relay", all);
    ASSERT_THAT(rest, SizeIs(1));
    EXPECT_EQ(rest.front().partition, Partition{2});
    EXPECT_TRUE(one->held(first.front()));
    EXPECT_TRUE(two->held(rest.front()));
}

TEST_F(TwoProcesses, NameTheirWork) {
    const auto one = process();
    const auto two = process();
    EXPECT_THAT(one->acquire("relay", all), SizeIs(3));
    EXPECT_THAT(two->acquire("view", all), SizeIs(3));
}

TEST_F(TwoProcesses, KeepWhatTheyRenew) {
    const auto one = process();
    const auto two = process(milliseconds{2000});
    const auto mine = one->acquire("relay", all);
    const auto turn = two->acquire("turns", std::span{all}.first(1));
    // Longer than the lifetime of the first, by the clock of another lease that also renews.
    const auto began = Environment::system().clock.steady();
    eventually([&] { return Environment::system().clock.steady() - began > milliseconds{1500}; });
    EXPECT_THAT(two->acquire("relay", all), IsEmpty());
    for (const Lease& lease : mine) EXPECT_TRUE(one->held(lease));
    EXPECT_EQ(one->acquire("relay", all), mine)
        << "acquired again by its owner it is the same lease";
}

TEST_F(TwoProcesses, TakeOverWhatWasReleasedAtOnce) {
    const auto one = process(milliseconds{60000});
    const auto two = process();
    const auto mine = one->acquire("relay", all);
    one->release(mine[1]);
    EXPECT_FALSE(one->held(mine[1]));
    const auto taken = two->acquire("relay", all);
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_EQ(taken.front().partition, mine[1].partition);
    EXPECT_GT(taken.front().epoch, mine[1].epoch);
}

TEST_F(TwoProcesses, GiveEverythingBackWhenTheyEnd) {
    auto one = process(milliseconds{60000});
    const auto two = process();
    EXPECT_THAT(one->acquire("relay", all), SizeIs(3));
    one.reset();
    EXPECT_THAT(two->acquire("relay", all), SizeIs(3));
}

class StoppedOwner : public TwoProcesses {
protected:
    StoppedOwner()
        : environment_{Environment::system().clock, Environment::system().random, scheduler_,
                       Environment::system().metrics},
          owner_(Leases::open(schema_.url(),
                              {.lifetime = milliseconds{600}, .environment = &environment_})),
          other_(process()),
          lease_(owner_->acquire("relay", std::span{all}.first(1)).front()),
          database_(Database::open(schema_.url())) {}

    std::vector<Lease> taken_over() {
        std::vector<Lease> taken;
        eventually([&] {
            taken = other_->acquire("relay", std::span{all}.first(1));
            return !taken.empty();
        });
        return taken;
    }

    StoppedScheduler scheduler_;
    Environment environment_;
    std::unique_ptr<Leases> owner_, other_;
    Lease lease_;
    std::unique_ptr<Database> database_;
};

TEST_F(StoppedOwner, IsReplacedWhenItsTimeIsOver) {
    const auto began = Environment::system().clock.steady();
    const auto taken = taken_over();
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_GT(taken.front().epoch, lease_.epoch);
    EXPECT_LT(Environment::system().clock.steady() - began, std::chrono::seconds{5});
    EXPECT_FALSE(owner_->held(lease_));
}

TEST_F(StoppedOwner, CannotWorkOnAfterIt) {
    ASSERT_THAT(taken_over(), SizeIs(1));
    const auto transaction = database_->begin(SqlMode::write);
    EXPECT_THROW(owner_->check(*transaction, lease_), Fenced);
}

TEST_F(StoppedOwner, KeepsOthersOutUntilItsTransactionEnds) {
    auto transaction = database_->begin(SqlMode::write);
    owner_->check(*transaction, lease_);
    const auto began = Environment::system().clock.steady();
    while (Environment::system().clock.steady() - began < milliseconds{1200}) {
        ASSERT_THAT(other_->acquire("relay", std::span{all}.first(1)), IsEmpty());
    }
    transaction->commit();
    EXPECT_THAT(taken_over(), SizeIs(1));
}

TEST_F(StoppedOwner, IsToldOfWhatItHoldsWhileItsTransactionLasts) {
    const auto transaction = database_->begin(SqlMode::write);
    owner_->check(*transaction, lease_);
    EXPECT_EQ(owner_->acquire("relay", std::span{all}.first(1)), std::vector{lease_});
    EXPECT_TRUE(owner_->held(lease_));
}

TEST_F(StoppedOwner, KeepsWhatItRenewsItself) {
    const auto began = Environment::system().clock.steady();
    while (Environment::system().clock.steady() - began < milliseconds{1500}) {
        owner_->renew(*store_);
        ASSERT_THAT(other_->acquire("relay", std::span{all}.first(1)), IsEmpty());
    }
    EXPECT_TRUE(owner_->held(lease_));
}

TEST_F(StoppedOwner, LearnsByRenewingThatItWasReplaced) {
    ASSERT_THAT(taken_over(), SizeIs(1));
    owner_->renew(*store_);
    EXPECT_FALSE(owner_->held(lease_));
}

TEST_F(TwoProcesses, SeeByRenewingWhereTheStoreEnds) {
    const auto one = process();
    one->acquire("relay", all);
    EXPECT_EQ(one->renew(*store_).heads, store_->heads()) << "of an empty store";
    static_cast<void>(store_->append(append_to("thing-1")));
    static_cast<void>(open_store(schema_.url())->append(append_to("thing-2")));
    const StoreEnd end = one->renew(*store_);
    EXPECT_EQ(end.heads, store_->heads());
    EXPECT_EQ(end.incarnations, 1U);
    const auto another = open_store("memory:");
    EXPECT_EQ(one->renew(*another).heads, another->heads()) << "of which it knows nothing";
}

TEST_F(TwoProcesses, RenewInSpiteOfTheOwnersLongTransaction) {
    const auto one = process();
    const auto lease = one->acquire("relay", std::span{all}.first(1)).front();
    const auto database = Database::open(schema_.url());
    const auto transaction = database->begin(SqlMode::write);
    one->check(*transaction, lease);
    const auto began = Environment::system().clock.steady();
    eventually([&] { return Environment::system().clock.steady() - began > milliseconds{1500}; });
    EXPECT_TRUE(one->held(lease));
}

TEST(OneProcess, OwnsAllOfAnEmbeddedStore) {
    const auto leases = Leases::open("memory:");
    const auto mine = leases->acquire("relay", all);
    EXPECT_THAT(mine, SizeIs(3));
    EXPECT_TRUE(leases->held(mine.front()));
}

TEST(MissingStore, HasNoLeases) {
    const OwnSchema schema;
    EXPECT_THROW(Leases::open(schema.url()), Mismatch);
}

}  // namespace
}  // namespace recount::test
