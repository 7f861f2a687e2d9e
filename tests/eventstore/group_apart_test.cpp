#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/slow_groups.hpp"

namespace recount::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

/// Whose ids begin with "lone" would rather be alone.
GroupLimits some_apart() {
    return {.groups = 8,
            .partitions = 16,
            .patience = hours{1000},
            .company = milliseconds{1},
            .apart = [](std::span<const Append> appends) {
                return appends.front().metadata.command_id.starts_with("lone");
            }};
}

TEST_F(GroupsThatTakeAnHour, OfOneGoBesideAnotherOfOneWhenBothWouldRather) {
    make(some_apart());
    come("lone 1", "cart-1");
    come("lone 2", "cart-2");
    ASSERT_TRUE(begins(2));
    come("lone 3", "cart-3");
    EXPECT_EQ(groups_->waiting(), 1) << "there may be two";
    end_next();
    ASSERT_TRUE(begins(3));
    EXPECT_THAT(committed(), UnorderedElementsAre(ElementsAre("lone 1"), ElementsAre("lone 2"),
                                                  ElementsAre("lone 3")));
}

TEST_F(GroupsThatTakeAnHour, OfOneGoBesideNobodyElse) {
    make(some_apart());
    come("lone 1", "cart-1");
    come("b", "cart-2");
    EXPECT_EQ(groups_->waiting(), 1);
    end_next();
    ASSERT_TRUE(somebody_waits());  // for the first to come again
    clock_.pass(milliseconds{1});
    ASSERT_TRUE(begins(2));
    come("lone 2", "cart-3");
    EXPECT_EQ(groups_->waiting(), 1);
    end_next();
    ASSERT_TRUE(begins(3));
    EXPECT_THAT(committed(),
                ElementsAre(ElementsAre("lone 1"), ElementsAre("b"), ElementsAre("lone 2")));
}

TEST_F(GroupsThatTakeAnHour, OfOneWaitForTheirPartitionAndThenShare) {
    make(some_apart());
    come("lone 1", "cart-1");
    come("lone 2", "cart-1");
    EXPECT_EQ(groups_->waiting(), 1);
    end_next();
    ASSERT_TRUE(somebody_waits());
    come("lone 1 again", "cart-1");
    ASSERT_TRUE(begins(2));
    EXPECT_THAT(committed().back(), ElementsAre("lone 2", "lone 1 again"));
}

TEST_F(GroupsThatTakeAnHour, AreSharedByThoseWhoWouldRatherBeAloneWhenThereAreMany) {
    make(some_apart());
    come("lone 1", "cart-1");
    come("lone 2", "cart-2");
    ASSERT_TRUE(begins(2));
    come("lone 3", "cart-3");
    come("lone 4", "cart-4");
    come("lone 5", "cart-5");
    end_next();
    end_next();
    ASSERT_TRUE(somebody_waits());
    clock_.pass(milliseconds{1});
    ASSERT_TRUE(begins(3));
    EXPECT_THAT(committed().back(), ElementsAre("lone 3", "lone 4", "lone 5"));
}

TEST_F(GroupsThatTakeAnHour, AreSharedInOnePartitionAlsoByTwoWhoWouldRatherBeAlone) {
    make(some_apart());
    come("a", "cart-1");
    come("lone 1", "cart-1");
    come("lone 2", "cart-1");
    end_next();
    ASSERT_TRUE(somebody_waits());
    clock_.pass(milliseconds{1});
    ASSERT_TRUE(begins(2));
    EXPECT_THAT(committed().back(), ElementsAre("lone 1", "lone 2"));
}

TEST_F(GroupsThatTakeAnHour, AreSharedWhereThereMayBeOneOnly) {
    GroupLimits limits = some_apart();
    limits.groups = 1;
    make(limits);
    come("a", "cart-1");
    come("lone 1", "cart-2");
    come("lone 2", "cart-3");
    end_next();
    ASSERT_TRUE(somebody_waits());
    clock_.pass(milliseconds{1});
    ASSERT_TRUE(begins(2));
    EXPECT_THAT(committed().back(), ElementsAre("lone 1", "lone 2"));
}

TEST_F(GroupsThatTakeAnHour, AreWaitedForAgainThoughOneWentBesideThem) {
    make(some_apart());
    come("lone 1", "cart-1");
    come("lone 2", "cart-2");
    ASSERT_TRUE(begins(2));
    come("lone 3", "cart-3");
    end_next();  // and the third goes without the first, who was not awaited
    ASSERT_TRUE(begins(3));
    come("b", "cart-4");
    end_next();
    end_next();
    ASSERT_TRUE(somebody_waits());
    come("b 2", "cart-4");
    ASSERT_TRUE(begins(4));
    EXPECT_THAT(committed().back(), ElementsAre("b", "b 2"));
}

}  // namespace
}  // namespace recount::test
