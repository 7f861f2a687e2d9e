#include <recount/testing.hpp>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "account.hpp"
#include "history.hpp"

namespace {

using namespace recount;
using namespace recount::test;

/// The failures that a test body reports, instead of failing this test.
std::vector<testing::TestPartResult> failures(const std::function<void()>& body) {
    testing::TestPartResultArray results;
    testing::ScopedFakeTestPartResultReporter reporter{
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results};
    body();
    std::vector<testing::TestPartResult> all;
    for (int i = 0; i < results.size(); ++i) all.push_back(results.GetTestPartResult(i));
    return all;
}

std::string failure(const std::function<void()>& body) {
    const auto results = failures(body);
    return results.size() == 1 ? results[0].message()
                               : std::to_string(results.size()) + " failures";
}

/// Goes on without what was erased.
struct Lenient {
    static constexpr std::string_view category = "account";
    using Event = Events<Deposited>;
    std::int64_t balance = 0;
    int erased = 0;
};
Lenient evolve(Lenient lenient, const Deposited& event) {
    lenient.balance += event.amount();
    return lenient;
}
Lenient evolve(Lenient lenient, const Erased&) {
    ++lenient.erased;
    return lenient;
}

TEST(Given, TakesWhatWasErasedToAStateThatGoesOnWithoutIt) {
    const Lenient state = given<Lenient>(deposited(1), Erased{}, deposited(2)).state();
    EXPECT_EQ(state.balance, 3);
    EXPECT_EQ(state.erased, 1);
}

TEST(Given, UpcastsOlderEvents) {
    DepositedV1 first;
    first.set_euros(7);
    DepositedV2 second;
    second.set_cents("42");
    const OldAccount state = given<OldAccount>(first, second, deposited(1)).state();
    EXPECT_EQ(state.account.balance, 743);
    EXPECT_EQ(state.events, 3);
}

TEST(AnOpenAccount, TakesADeposit) {
    given<Account>(opened("ada")).when(deposit(2)).then(deposited(2));
}
TEST(AClosedAccount, TakesNone) {
    given<Account>(opened("ada"), Closed{}).when(deposit(2)).then_rejected("closed");
}
TEST(AClosedAccount, ClosesOnce) { given<Account>(Closed{}).when(Close{}).then_nothing(); }
TEST(AFullAccount, IsEmptiedWhenItCloses) {
    given<Account>(deposited(3)).when(Close{}).then(deposited(-3), Closed{});
}
TEST(AChain, ShowsTheStateItLedTo) {
    EXPECT_EQ(given<Account>(deposited(3), deposited(4)).state().balance, 7);
}

TEST(AWrongExpectation, ShowsBothSides) {
    const std::string text =
        failure([] { given<Account>(deposited(3)).when(Close{}).then(deposited(3), Closed{}); });
    EXPECT_NE(text.find("expected:\n  recount.test.Deposited { amount: 3 }\n"), std::string::npos)
        << text;
    EXPECT_NE(text.find("decided:\n  recount.test.Deposited { amount: -3 }\n"), std::string::npos)
        << text;
}

TEST(AWrongExpectation, IsAboutOrder) {
    EXPECT_NE(
        failure([] { given<Account>(deposited(3)).when(Close{}).then(Closed{}, deposited(-3)); }),
        "0 failures");
}

TEST(AWrongExpectation, IsAboutNumber) {
    EXPECT_NE(failure([] { given<Account>(deposited(3)).when(Close{}).then(deposited(-3)); }),
              "0 failures");
    EXPECT_NE(failure([] { given<Account>().when(deposit(1)).then(deposited(1), deposited(1)); }),
              "0 failures");
    EXPECT_NE(failure([] { given<Account>().when(deposit(1)).then_nothing(); }), "0 failures");
}

TEST(AWrongExpectation, IsAboutRefusals) {
    const std::string refused =
        failure([] { given<Account>(Closed{}).when(deposit(1)).then(deposited(1)); });
    EXPECT_NE(refused.find("rejected: closed"), std::string::npos) << refused;
    EXPECT_NE(failure([] { given<Account>(Closed{}).when(deposit(1)).then_nothing(); }),
              "0 failures");
    const std::string code =
        failure([] { given<Account>(opened("ada")).when(open("bob")).then_rejected("closed"); });
    EXPECT_NE(code.find("rejected: taken (it belongs to ada)"), std::string::npos) << code;
    const std::string events =
        failure([] { given<Account>().when(deposit(1)).then_rejected("closed"); });
    EXPECT_NE(events.find("recount.test.Deposited { amount: 1 }"), std::string::npos) << events;
}

TEST(AFailure, IsReportedAtTheLineOfWhen) {
    int line = 0;
    const auto results = failures([&] {
        line = __LINE__ + 1;
        given<Account>().when(deposit(1)).then_nothing();
    });
    ASSERT_EQ(results.size(), 1U);
    EXPECT_EQ(results[0].line_number(), line);
    EXPECT_STREQ(results[0].file_name(), __FILE__);
}

TEST(AChain, WithoutAThenFails) {
    const std::string text = failure([] { (void)given<Account>().when(deposit(1)); });
    EXPECT_NE(text.find("compares nothing"), std::string::npos) << text;
}

}  // namespace
