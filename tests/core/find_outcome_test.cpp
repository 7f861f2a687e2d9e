#include <gtest/gtest.h>

#include "store_fixture.hpp"

namespace {

using namespace recount;
using namespace recount::test;

using ACommandFromAQueue = AccountTest;

TEST_F(ACommandFromAQueue, IsFoundByTheBytesThatItCameAs) {
    const StreamName stream{"account", "1"};
    const CommandOptions brought{.command_id = "c-1", .content = "as the queue has it"};
    static_cast<void>(accounts_.handle("1", deposit(5), brought));
    EXPECT_TRUE(find_outcome(*store_, stream, deposit(5), "c-1", brought.content));
    EXPECT_THROW(find_outcome(*store_, stream, deposit(5), "c-1"), CommandReused);
    EXPECT_THROW(find_outcome(*store_, stream, deposit(5), "c-1", "otherwise"), CommandReused);
}

}  // namespace
