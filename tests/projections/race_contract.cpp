#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include "support/eventually.hpp"
#include "world.hpp"

namespace recount::test::projections {
namespace {

/// A log of which only one partition is seen.
class OnePartition : public Log {
public:
    OnePartition(Log& log, Partition seen) : log_(log), seen_(seen) {}
    [[nodiscard]] const StoreIdentity& identity() const override { return log_.identity(); }
    Environment& environment() override { return log_.environment(); }
    std::vector<Incarnation> incarnations() override { return log_.incarnations(); }
    LogPage read(Partition partition, std::int64_t after, const ReadLog& options) override {
        return log_.read(partition, after, options);
    }
    std::vector<LogHead> heads() override {
        std::vector<LogHead> heads = log_.heads();
        for (std::size_t number = 0; number < heads.size(); ++number) {
            if (static_cast<std::int32_t>(number) != seen_.value) heads[number].n = 0;
        }
        return heads;
    }
    bool wait(const Positions& seen, Duration at_most, std::stop_token stop) override {
        return log_.wait(seen, at_most, stop);
    }

private:
    Log& log_;
    Partition seen_;
};

/// One row for all; the first projector to fold into it lets another try, too, before it goes on.
struct Shared {
    static constexpr std::string_view name = "shared";
    static constexpr int version = 1;
    using Row = SkuRow;
    using Event = recount::Events<ItemAdded>;
    static inline std::function<void()> meanwhile;

    static std::string key_of(const ItemAdded&, const Recorded&) { return "all"; }
    static void evolve(SkuRow& row, const ItemAdded& event, const Recorded&) {
        row.set_added(row.added() + event.quantity());
        if (meanwhile) std::exchange(meanwhile, nullptr)();
    }
};

class TwoProjectorsOfDifferentPartitions : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(On, TwoProjectorsOfDifferentPartitions, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(TwoProjectorsOfDifferentPartitions, DoNotOverwriteARowThatBothFeed) {
    World world{GetParam(), 2};
    std::string first = "cart-a", second = "cart-b";
    while (partition_of(first, 2).value != 0) first += "x";
    while (partition_of(second, 2).value != 1) second += "x";
    world.append(first, added("a", 1));
    world.append(second, added("a", 10));

    OnePartition zero{world.store(), Partition{0}}, one{world.store(), Partition{1}};
    Projector<Shared> here{zero, {.views = world.url()}}, there{one, {.views = world.url()}};
    std::atomic<bool> done = false;
    std::jthread other;
    Shared::meanwhile = [&] {
        other = std::jthread{[&] {
            there.catch_up();
            done = true;
        }};
        // It has to wait until this transaction has ended: given time, it still has not come
        // through.
        EXPECT_FALSE(eventually([&] { return done.load(); }, std::chrono::milliseconds{400}));
    };
    here.catch_up();
    other.join();
    EXPECT_EQ(View<Shared>{world.store()}.get("all")->added(), 11);
}

/// A database that lets something happen, once, before what is in it is looked at.
class LookedAtLate : public Database {
public:
    LookedAtLate(std::unique_ptr<Database> real, std::function<void()>& before)
        : real_(std::move(real)), before_(before) {}
    std::unique_ptr<SqlTransaction> begin(SqlMode mode) override {
        if (mode == SqlMode::snapshot && before_) std::exchange(before_, nullptr)();
        return real_->begin(mode);
    }
    [[nodiscard]] SqlDialect dialect() const override { return real_->dialect(); }
    [[nodiscard]] const std::string& name() const override { return real_->name(); }

private:
    std::unique_ptr<Database> real_;
    std::function<void()>& before_;
};

class AProjectorThatLooksAgain : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(On, AProjectorThatLooksAgain, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(AProjectorThatLooksAgain, GoesOnWhereAnotherAppliedWhatJustCame) {
    World world{GetParam()};
    if (!world.stored()) GTEST_SKIP() << "in memory both have one database";
    world.append("cart-1", added("a"));
    std::function<void()> before;
    const OpenDatabase open = [&](const std::string& url, const DatabaseOptions& options) {
        return std::make_unique<LookedAtLate>(Database::open(url, options), before);
    };
    Projector<Carts> here{world.store(), {.idle_wait = Duration::zero(), .open = open}};
    Projector<Carts> there{world.store()};
    here.catch_up();
    bool came = false;
    before = [&] {
        world.append("cart-1", added("b"));
        there.catch_up();
        came = true;
    };
    EXPECT_NO_THROW(here.catch_up());
    EXPECT_TRUE(came);
    EXPECT_EQ(here.status()[0].state, ViewStatus::State::running);
    const auto read = View<Carts>{world.store()}.get("1");
    EXPECT_FALSE(read.stale) << read.why_stale;
    EXPECT_EQ(read->items(), 2);
}

class AReplacedGeneration : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(On, AReplacedGeneration, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(AReplacedGeneration, CanBeDroppedUnderItsReaders) {
    World world{GetParam()};
    if (!world.stored()) GTEST_SKIP() << "in memory nothing is opened anew";
    append_random(world, 21, 10);
    Projector<Carts>{world.store()}.catch_up();
    View<Carts> knows_it{world.store(), {.heads_age = std::chrono::hours{1}}};
    EXPECT_EQ(knows_it.list().generation, 1);
    std::function<void()> replace_and_drop = [&] {
        request_rebuild(world.store(), "carts");
        Projector<Carts>{world.store()}.catch_up();
        drop_generation(world.store(), "carts", 1);
    };
    const OpenDatabase open = [&](const std::string& url, const DatabaseOptions& options) {
        const bool first = url.find("carts") != url.npos && url.find("g1") != url.npos;
        if (first && replace_and_drop) std::exchange(replace_and_drop, nullptr)();
        return Database::open(url, options);
    };
    View<Carts> opens_it{world.store(), {.open = open}};
    EXPECT_EQ(opens_it.list().generation, 2);
    EXPECT_FALSE(replace_and_drop);
    EXPECT_EQ(knows_it.list().generation, 2);
    EXPECT_THROW(opens_it.query(eventual(), "select * from missing"), Error);
}

}  // namespace
}  // namespace recount::test::projections
