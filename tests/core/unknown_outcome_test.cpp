#include <recount/core/error.hpp>

#include <gtest/gtest.h>

#include "store_fixture.hpp"

namespace {

using namespace recount;
using namespace recount::test;

class ACommandWhoseCommit : public AccountTest {};

TEST_F(ACommandWhoseCommit, IsLostIsSentAgainUnderItsIdOnly) {
    const auto lost_after_commit = [&] {
        static_cast<void>(store_->append(streams_.last));
        throw OutcomeUnknown("the connection was lost");
    };
    streams_.before_append = lost_after_commit;
    std::string id;
    try {
        static_cast<void>(accounts_.handle("1", deposit(100)));
        FAIL() << "nobody knows what became of it";
    } catch (const OutcomeUnknown& error) {
        EXPECT_FALSE(error.retryable()) << "it would be another command";
        id = streams_.last.front().metadata.command_id;
        EXPECT_NE(std::string{error.what()}.find(id), std::string::npos) << error.what();
    }
    try {
        static_cast<void>(accounts_.handle("1", deposit(10), {.command_id = "c-1"}));
        FAIL() << "nobody knows what became of it";
    } catch (const OutcomeUnknown& error) {
        EXPECT_TRUE(error.retryable());
    }
    streams_.before_append = nullptr;
    EXPECT_TRUE(accounts_.handle("1", deposit(100), {.command_id = id}).repeated());
    EXPECT_TRUE(accounts_.handle("1", deposit(10), {.command_id = "c-1"}).repeated());
    EXPECT_EQ(others_.load("1").state.balance, 110);
}

TEST_F(ACommandWhoseCommit, FailsHoldsUpNoOther) {
    streams_.before_append = [] { throw Unavailable("gone"); };
    EXPECT_THROW(static_cast<void>(accounts_.handle("1", deposit(1))), Unavailable);
    streams_.before_append = nullptr;
    EXPECT_TRUE(accounts_.handle("1", deposit(1)));
}

}  // namespace
