#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "support/eventually.hpp"

#include <atomic>
#include <thread>

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;
using std::chrono::seconds;

std::int64_t events_in(EventStore& store) {
    std::int64_t count = 0;
    for (const LogHead& head : store.heads()) count += head.n;
    return count;
}

std::chrono::nanoseconds steady() { return Environment::system().clock.steady(); }

/// Two programs on one store: they share nothing but the database.
class TwoStores : public testing::Test {
protected:
    TwoStores() : one_(open_store(schema_.url())), two_(open_store(schema_.url())) {}

    /// A transaction of somebody else that holds a partition.
    std::unique_ptr<SqlTransaction> hold(Database& database, Partition partition) {
        auto transaction = database.begin(SqlMode::write);
        transaction->query("select 1 from partition where partition = $1 for update",
                           partition.value);
        return transaction;
    }

    OwnSchema schema_;
    std::unique_ptr<EventStore> one_, two_;
};

TEST_F(TwoStores, LetOneOfTwoWithTheSameExpectationWin) {
    for (std::int64_t round = 0; round < 50; ++round) {
        std::atomic<int> won = 0;
        {
            std::vector<std::jthread> threads;
            for (EventStore* store : {one_.get(), two_.get()}) {
                threads.emplace_back([&won, store, round] {
                    const auto result =
                        store->append(append_to("cart-1", Expected::exactly(Version{round})));
                    won += result.kind == Kind::committed ? 1 : 0;
                    if (result.kind != Kind::committed) {
                        EXPECT_EQ(result.conflict.failed.front().actual, Version{round + 1});
                    }
                });
            }
        }
        ASSERT_EQ(won, 1) << "round " << round;
    }
    one_->verify_chain();
}

TEST_F(TwoStores, AppendInOppositeOrdersWithoutADeadlock) {
    constexpr int rounds = 40;
    std::vector<std::string> streams;
    for (std::int32_t i = 0; i < 6; ++i) streams.push_back(stream_in(Partition{i}));
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 8; ++thread) {
            EventStore& store = thread % 2 == 0 ? *one_ : *two_;
            threads.emplace_back([&store, &streams, thread] {
                for (int round = 0; round < rounds; ++round) {
                    std::vector<StreamWrite> writes;
                    for (const auto& stream : streams) writes.push_back(events_for(stream));
                    if (thread % 3 != 0) std::reverse(writes.begin(), writes.end());
                    EXPECT_NO_THROW(static_cast<void>(store.append(append_of(writes))));
                }
            });
        }
    }
    EXPECT_EQ(events_in(*one_), 8 * rounds * 6);
    one_->verify_chain();
}

TEST_F(TwoStores, DoNotHoldEachOtherUpInOtherPartitions) {
    const auto database = Database::open(schema_.url());
    const auto slow = hold(*database, Partition{3});
    const auto began = steady();
    for (int i = 0; i < 20; ++i)
        static_cast<void>(one_->append(append_to(stream_in(Partition{4}))));
    EXPECT_LT(steady() - began, seconds{8});
    EXPECT_EQ(two_->read(Partition{4}, 0).events.size(), 20);
}

TEST_F(TwoStores, AreNotStalledByWritersElsewhere) {
    const OwnSchema elsewhere;
    const auto database = Database::open(elsewhere.url());
    const auto open = database->begin(SqlMode::write);
    open->script("create table anything (n bigint); insert into anything values (1)");
    const auto before = events_in(*two_);
    static_cast<void>(one_->append(append_to("cart-1")));
    EXPECT_TRUE(two_->wait(Positions{16}, seconds{20}));
    EXPECT_EQ(events_in(*two_), before + 1);
}

TEST_F(TwoStores, FailCleanlyWhenALockIsHeldForTooLong) {
    const auto impatient = open_store(schema_.url(), {.timeout = std::chrono::milliseconds{500}});
    const auto database = Database::open(schema_.url());
    const Append append = append_to(stream_in(Partition{3}));
    {
        const auto slow = hold(*database, Partition{3});
        try {
            static_cast<void>(impatient->append(append));
            ADD_FAILURE() << "the partition was held by another";
        } catch (const OutcomeUnknown&) {
            ADD_FAILURE() << "nothing was committed, and the server said so";
        } catch (const Error& error) {
            EXPECT_TRUE(error.retryable()) << error.what();
        }
    }
    EXPECT_FALSE(impatient->find_outcome(append.metadata.command_id));
    EXPECT_EQ(impatient->append(append).kind, Kind::committed);
}

TEST_F(TwoStores, TellEachOtherOfNewEvents) {
    std::jthread writer{[this] { static_cast<void>(one_->append(append_to("cart-1"))); }};
    EXPECT_TRUE(two_->wait(Positions{16}, seconds{30}));
    Positions seen{16};
    seen.raise(Position{partition_of("cart-1", 16), 1});
    EXPECT_FALSE(two_->wait(seen, Duration{0})) << "there is nothing behind it";
}

TEST_F(TwoStores, NeverActOnWhatTheOtherHasChanged) {
    // Both have seen the stream and its partition; then one of them moves on.
    static_cast<void>(one_->append(append_to("cart-1", Expected::no_stream())));
    static_cast<void>(two_->append(append_to("cart-1", Expected::exactly(Version{1}))));
    EXPECT_EQ(one_->append(append_to("cart-1", Expected::exactly(Version{1}))).kind,
              Kind::conflict);
    EXPECT_EQ(one_->append(append_to("cart-1", Expected::exactly(Version{2}))).kind,
              Kind::committed);
}

TEST_F(TwoStores, RefuseNothingOnWhatTheyOnlyRemember) {
    static_cast<void>(one_->append(append_to("cart-1")));
    static_cast<void>(two_->append(append_to("cart-1")));
    EXPECT_EQ(one_->append(append_to("cart-1", Expected::exactly(Version{2}))).kind,
              Kind::committed)
        << "the first remembers version 1";
}

TEST_F(TwoStores, CheckStreamsThatTheyDoNotWriteAsTheyAreNow) {
    const std::string checked = stream_in(Partition{3});
    static_cast<void>(one_->append(append_to(checked)));
    static_cast<void>(one_->append(append_to("order-1")));
    static_cast<void>(two_->append(append_to(checked)));
    Append append = append_to("order-1");
    append.checks.push_back({StreamName::parse(checked), Expected::exactly(Version{1})});
    append.request = request_hash(append);
    const auto result = one_->append(append);
    ASSERT_EQ(result.kind, Kind::conflict);
    EXPECT_EQ(result.conflict.failed.front().actual, Version{2});
}

TEST_F(TwoStores, ForgetWhatTheyKnewOfAPartitionThatOthersWroteTo) {
    const std::string checked = stream_in(Partition{3});
    const std::string neighbour = stream_in(Partition{3}, 16, checked);
    static_cast<void>(one_->append(append_to(checked)));
    static_cast<void>(one_->append(append_to("order-1")));
    static_cast<void>(two_->append(append_to(checked)));
    // Now the first learns the partition's new head, by a stream that it had not known.
    static_cast<void>(one_->append(append_to(neighbour)));
    static_cast<void>(one_->append(append_to(neighbour)));
    Append append = append_to("order-1");
    append.checks.push_back({StreamName::parse(checked), Expected::exactly(Version{1})});
    append.request = request_hash(append);
    EXPECT_EQ(one_->append(append).kind, Kind::conflict);
}

TEST_F(TwoStores, RepeatACommandOfTheOther) {
    static_cast<void>(one_->append(append_to("cart-1")));
    static_cast<void>(two_->append(append_to("cart-2")));
    const Append append = append_to("cart-1");
    EXPECT_EQ(one_->append(append).kind, Kind::committed);
    EXPECT_EQ(two_->append(append).kind, Kind::repeated);
    Append voided = append_to("cart-1");
    two_->void_command(voided.metadata.command_id);
    EXPECT_EQ(one_->append(voided).outcome->kind, CommandOutcome::Kind::voided);
    EXPECT_EQ(version_of(*one_, "cart-1"), 2);
}

TEST_F(TwoStores, ShareAHotStreamFairly) {
    constexpr int rounds = 60;
    std::vector<std::jthread> threads;
    std::atomic<int> committed = 0;
    for (EventStore* store : {one_.get(), two_.get()}) {
        threads.emplace_back([&committed, store] {
            for (int round = 0; round < rounds; ++round) {
                const auto result = store->append(append_to("cart-hot"));
                committed += result.kind == Kind::committed ? 1 : 0;
            }
        });
    }
    threads.clear();
    EXPECT_EQ(committed, 2 * rounds);
    EXPECT_EQ(version_of(*one_, "cart-hot"), 2 * rounds);
}

TEST(NewStore, IsCreatedOnceByManyAtTheSameTime) {
    const OwnSchema schema;
    std::vector<std::unique_ptr<EventStore>> stores(6);
    {
        std::vector<std::jthread> threads;
        for (auto& store : stores) {
            threads.emplace_back([&store, &schema] { store = open_store(schema.url()); });
        }
    }
    for (const auto& store : stores) EXPECT_EQ(store->identity().id, stores[0]->identity().id);
}

class ClockAhead final : public Clock {
public:
    Timestamp now() override {
        return Environment::system().clock.now() + std::chrono::milliseconds{1500};
    }
    std::chrono::nanoseconds steady() override { return Environment::system().clock.steady(); }
};

TEST(OpenedStore, IsRefusedToAClockThatMisleads) {
    const OwnSchema schema;
    ClockAhead clock;
    Environment& system = Environment::system();
    Environment environment{clock, system.random, system.scheduler, system.metrics};
    EXPECT_THROW(open_store(schema.url(), {.environment = &environment}), Mismatch);
}

TEST(OpenedStore, IsRefusedToAProgramOfAnotherVersion) {
    const OwnSchema schema;
    open_store(schema.url());
    schema.change("insert into migration values (99, 0)");
    EXPECT_THROW(open_store(schema.url()), Mismatch);
}

TEST(OpenedStore, LeavesTablesOfOthersAlone) {
    const OwnSchema schema;
    const auto database = Database::open(schema.url());
    {
        const auto others = database->begin(SqlMode::write);
        others->script("create table event (name text); insert into event values ('a wedding')");
        others->commit();
    }
    EXPECT_THROW(open_store(schema.url()), Mismatch);
    EXPECT_EQ(database->begin(SqlMode::snapshot)->query("select * from event").text(0, 0),
              "a wedding");
}

}  // namespace
}  // namespace recount::test
