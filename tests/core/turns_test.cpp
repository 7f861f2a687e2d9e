#include <recount/core/turns.hpp>

#include <gtest/gtest.h>

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

}  // namespace
