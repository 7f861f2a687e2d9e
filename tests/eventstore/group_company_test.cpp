#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/slow_groups.hpp"

namespace recount::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

TEST_F(GroupsThatTakeAnHour, WaitForThoseWhoWereInTheLast) {
    make({.company = milliseconds{1}});
    come("a");
    come("b");
    come("c");
    end_next();
    ASSERT_TRUE(somebody_waits());
    EXPECT_THAT(committed(), ElementsAre(ElementsAre("a")));
    come("a again");
    ASSERT_TRUE(begins(2));
    EXPECT_THAT(committed().back(), ElementsAre("b", "c", "a again"));
}

TEST_F(GroupsThatTakeAnHour, LeaveWithoutThemAfterAWhileAndDoNotWaitSoonAgain) {
    make({.company = milliseconds{1}});
    come("a");
    come("b");
    end_next();
    ASSERT_TRUE(somebody_waits());
    clock_.pass(milliseconds{1});
    ASSERT_TRUE(begins(2));
    EXPECT_THAT(committed().back(), ElementsAre("b"));
    come("c");
    end_next();
    EXPECT_TRUE(begins(3)) << "it was in vain";
}

TEST_F(GroupsThatTakeAnHour, WaitForNobodyWhenOneWasAlone) {
    make({.company = milliseconds{1}});
    come("a");
    end_next();
    callers_.clear();  // until it was told
    come("a again");
    EXPECT_TRUE(begins(2));
    EXPECT_EQ(scheduler_.short_waits, 0);
}

TEST_F(GroupsThatTakeAnHour, AreFollowedByOneOfOtherPartitionsWhenTheyAreLate) {
    make({.groups = 2, .partitions = 16, .patience = milliseconds{1}});
    ASSERT_NE(partition_of("cart-1", 16), partition_of("cart-2", 16));
    come("a");
    come("b", "cart-2");
    ASSERT_TRUE(somebody_waits());
    EXPECT_THAT(committed(), ElementsAre(ElementsAre("a")));
    clock_.pass(milliseconds{1});
    ASSERT_TRUE(begins(2));
    EXPECT_THAT(committed().back(), ElementsAre("b"));
}

}  // namespace
}  // namespace recount::test
