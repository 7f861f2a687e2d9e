#include <recount/core/turns.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "support/eventually.hpp"

namespace {

using namespace recount;

TEST(ATurn, IsHadAtOnceWhenNobodyHasIt) {
    Turns turns{Environment::system().scheduler};
    { const auto turn = turns.take("a"); }
    const auto again = turns.take("a");
    const auto other = turns.take("b");
    EXPECT_EQ(turns.waiting("a"), 0u);
}

TEST(ATurn, IsGivenToWhoeverWaitsInTheOrderTheyCame) {
    Turns turns{Environment::system().scheduler};
    std::vector<int> order;
    std::vector<std::jthread> threads;
    {
        const auto mine = turns.take("a");
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&, i] {
                const auto turn = turns.take("a");
                order.push_back(i);
            });
            ASSERT_TRUE(test::eventually(
                [&] { return turns.waiting("a") == static_cast<std::size_t>(i) + 1; }));
        }
        EXPECT_TRUE(order.empty());
    }
    threads.clear();
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
    EXPECT_EQ(turns.waiting("a"), 0u);
}

struct Numbered : Turns::Errand {
    explicit Numbered(int number_) : number(number_) {}
    int number;
};

/// Threads that wait, one after the other, each with an errand of its number or none.
class ErrandsOfThoseWhoWait : public testing::Test {
protected:
    void wait(int number, bool with_errand = true) {
        const std::size_t before = turns_.waiting("a");
        threads_.emplace_back([this, number, with_errand] {
            Numbered errand{number};
            const auto turn = turns_.take("a", with_errand ? &errand : nullptr);
            const std::lock_guard lock{mutex_};
            (turn ? had_turns_ : done_by_others_).push_back(number);
        });
        ASSERT_TRUE(test::eventually([&] { return turns_.waiting("a") == before + 1; }));
    }

    Turns turns_{Environment::system().scheduler};
    std::mutex mutex_;
    std::vector<int> had_turns_, done_by_others_;
    std::vector<std::jthread> threads_;
};

TEST_F(ErrandsOfThoseWhoWait, AreDoneByWhoHasTheTurn) {
    {
        auto turn = turns_.take("a");
        for (int i = 0; i < 4; ++i) wait(i);
        Turns::Turn::Errands errands{*turn, 3};
        ASSERT_EQ(errands.size(), 3U);
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(static_cast<Numbered&>(errands[static_cast<std::size_t>(i)]).number, i);
        }
        errands.done(0);
        errands.done(2);
    }
    threads_.clear();
    std::sort(done_by_others_.begin(), done_by_others_.end());
    EXPECT_EQ(done_by_others_, (std::vector{0, 2}));
    EXPECT_EQ(had_turns_, (std::vector{1, 3})) << "in the order they came";
    EXPECT_EQ(turns_.waiting("a"), 0U);
}

TEST_F(ErrandsOfThoseWhoWait, OvertakeNobody) {
    {
        auto turn = turns_.take("a");
        wait(0);
        wait(1, false);
        wait(2);
        const Turns::Turn::Errands errands{*turn, 9};
        EXPECT_EQ(errands.size(), 1U);
    }
    threads_.clear();
    EXPECT_EQ(had_turns_, (std::vector{0, 1, 2}));
}

}  // namespace
