#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/saga/recorded_plan.hpp>

#include "layout.hpp"
#include "orders.hpp"

namespace recount::saga_test {
namespace {

Do command(const std::string& effect = "x") {
    Do command;
    command.set_account("a");
    command.set_effect(effect);
    return command;
}

saga::Layout laid_out(const Plan& plan) {
    return saga::lay_out(plan.description(), [](const NewEvent&) { return "account-a"; });
}

std::string refusal_of(const Plan& plan) {
    try {
        laid_out(plan);
    } catch (const InvalidArgument& refused) {
        return refused.what();
    }
    return "not refused";
}

using testing::HasSubstr;

TEST(APlan, NeedsAStep) { EXPECT_THAT(refusal_of(Plan{}), HasSubstr("no steps")); }

TEST(APlan, HasNoNameTwice) {
    Plan plan;
    plan.step("pay", command());
    plan.step("pay", command());
    EXPECT_THAT(refusal_of(plan), HasSubstr("two steps are called \"pay\""));
}

TEST(APlan, HasNoNamelessStep) {
    Plan plan;
    plan.step("", command());
    EXPECT_THAT(refusal_of(plan), HasSubstr("step 0 has no usable name"));
    Plan starred;
    starred.step("pay*", command());
    EXPECT_THAT(refusal_of(starred), HasSubstr("no usable name"));
}

TEST(APlan, HasNoLimitBelowZero) {
    Plan late;
    late.step("pay", command());
    late.deadline(std::chrono::seconds{-1});
    EXPECT_THAT(refusal_of(late), HasSubstr("deadline"));
    Plan hasty;
    hasty.step("pay", command()).within(Duration{-1});
    EXPECT_THAT(refusal_of(hasty), HasSubstr("step \"pay\""));
    hasty = Plan{};
    hasty.step("pay", command()).within(Duration{0});
    EXPECT_EQ(refusal_of(hasty), "not refused");
}

TEST(APlan, KnowsWhatItsStepsWaitFor) {
    Plan plan;
    plan.step("pay", command()).after("reserve/*");
    EXPECT_THAT(refusal_of(plan), HasSubstr("comes after \"reserve/*\", but no step is called so"));
}

TEST(APlan, HasNoStepsThatWaitForEachOther) {
    Plan plan;
    plan.step("free", command());
    plan.step("a", command()).after("b", "free");
    plan.step("b", command()).after("a");
    EXPECT_THAT(refusal_of(plan), HasSubstr("step \"a\" can never be sent"));
    Plan alone;
    alone.step("reserve/1", command()).after("reserve/*");
    EXPECT_THAT(refusal_of(alone), HasSubstr("can never be sent"));
}

TEST(APlan, MayNameStepsBeforeTheyAreDescribed) {
    Plan plan;
    plan.step("pay", command()).after("reserve/*", "check");
    plan.step("reserve/0", command());
    plan.step("reserve/1", command());
    plan.step("check", command());
    const saga::RecordedPlan recorded{{}, laid_out(plan).pages};
    ASSERT_EQ(recorded.size(), 4U);
    ASSERT_EQ(recorded.step(0).after_size(), 2);
    EXPECT_THAT(recorded.members(recorded.step(0).after(0)), testing::ElementsAre(1, 2));
    EXPECT_THAT(recorded.members(recorded.step(0).after(1)), testing::ElementsAre(3));
}

TEST(APlan, NamesAGroupOnceHoweverManyWaitForIt) {
    Plan plan;
    for (int i = 0; i < 2000; ++i) plan.step("reserve/" + std::to_string(i), command());
    for (int i = 0; i < 2000; ++i)
        plan.step("ship/" + std::to_string(i), command()).after("reserve/*");
    const saga::Layout layout = laid_out(plan);
    const saga::RecordedPlan recorded{{}, layout.pages};
    EXPECT_EQ(recorded.groups(), 1U);
    EXPECT_EQ(recorded.members(0).size(), 2000U);
    EXPECT_EQ(recorded.dependents(0).size(), 2000U);
}

TEST(APlan, IsPagedBelowTheLimitOfAnEvent) {
    Plan plan;
    for (int i = 0; i < 3000; ++i)
        plan.step("step/" + std::to_string(i), command(std::string(800, 'x')));
    const saga::Layout layout = laid_out(plan);
    EXPECT_GT(layout.pages.size(), 8U);
    int steps = 0;
    for (const auto& page : layout.pages) {
        EXPECT_LT(page->ByteSizeLong(), std::size_t{300} << 10);
        steps += page->steps_size();
    }
    EXPECT_EQ(steps, 3000);
}

TEST(APlan, IsRefusedWhenItFitsNoAppend) {
    Plan plan;
    for (int i = 0; i < 5000; ++i)
        plan.step("step/" + std::to_string(i), command(std::string(1000, 'x')));
    EXPECT_THAT(refusal_of(plan), HasSubstr("the plan takes more than"));
    Plan heavy;
    heavy.step("one", command(std::string(1 << 20, 'x')));
    EXPECT_THAT(refusal_of(heavy), HasSubstr("more than an event may hold"));
}

}  // namespace
}  // namespace recount::saga_test
