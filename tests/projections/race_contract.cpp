#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <atomic>
#include <thread>

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

}  // namespace
}  // namespace recount::test::projections
