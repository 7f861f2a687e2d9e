#include <gtest/gtest.h>

#include "store_fixture.hpp"

namespace {

using namespace recount;
using namespace recount::test;

class ABatchWithWhatNoStoreTakes : public AccountTest {
protected:
    Batch batch_{streams_};
};

TEST_F(ABatchWithWhatNoStoreTakes, DoesTheOthers) {
    accounts_.enqueue(batch_, "1", deposit(5), {.command_id = "c-1"});
    accounts_.enqueue(batch_, "2", deposit(6), {.command_id = "c-2", .headers = {{"a", "\n"}}});
    accounts_.enqueue(batch_, "3", deposit(7), {.command_id = "c-3"});
    EXPECT_THROW(batch_.commit(), InvalidArgument);
    EXPECT_EQ(others_.load("1").state.balance, 5);
    EXPECT_EQ(others_.load("2").version, Version{0});
    EXPECT_EQ(others_.load("3").state.balance, 7);
    EXPECT_EQ(accounts_.load("2").version, Version{0});
    EXPECT_EQ(accounts_.load("3").state.balance, 7);
    EXPECT_THROW(batch_.commit(), InvalidArgument);
    EXPECT_EQ(others_.load("3").state.balance, 7) << "once";
}

TEST_F(ABatchWithWhatNoStoreTakes, IsNotTriedOneByOneWhenTheStoreIsAway) {
    accounts_.enqueue(batch_, "1", deposit(5));
    accounts_.enqueue(batch_, "2", deposit(6));
    streams_.before_append = [] { throw OutcomeUnknown("lost at the commit"); };
    EXPECT_THROW(batch_.commit(), OutcomeUnknown);
    EXPECT_EQ(streams_.appends, 1);
}

}  // namespace
