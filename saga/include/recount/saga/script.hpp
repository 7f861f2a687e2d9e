#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <recount/saga/plan.hpp>

namespace recount::test {

/// How a saga of a test ended.
enum class SagaEnd { completed, compensated, needs_attention };
using enum SagaEnd;

/// Carries one saga out without a store: commands are answered as the test says, and time passes
/// when nothing else can happen. Failures are reported at the line of `given`.
///
///     using namespace recount::test;
///
///     TEST(DeclinedCard, ReleasesTheStock) {
///         given<Checkout>(order).refused("charge").then_undone("reserve/0", "reserve/1")
///             .then_ends(compensated);
///     }
///
/// What is not spoken of is accepted. First say what happens, then what follows from it. One
/// thread.
class SagaScript {
public:
    using Fail = std::function<void(const std::string&)>;

    /// `commands` are the message types that the saga lists in its Command.
    SagaScript(const Plan& plan, const std::vector<std::string>& commands, Fail fail);
    SagaScript(SagaScript&&) noexcept;
    SagaScript& operator=(SagaScript&&) = delete;
    ~SagaScript();  // a script that expected nothing is a failed test

    /// The step is refused by its decider.
    SagaScript& refused(std::string_view step, std::string_view code = "refused");
    /// The step finds that what it asks for is so already.
    SagaScript& nothing(std::string_view step);
    /// The step is never answered, and its command never happens; its limit or the deadline passes.
    SagaScript& unanswered(std::string_view step);
    /// The step happens, but its answer is lost until its limit or the deadline has passed.
    SagaScript& answered_late(std::string_view step);
    /// The undo of the step is refused so many times; "when_undone" for the last command.
    SagaScript& undo_refused(std::string_view step, int times = 1000);

    /// Exactly these steps were sent, in any order.
    template <class... Name>
    SagaScript& then_sent(const Name&... names) {
        return expect_sent({std::string{std::string_view{names}}...});
    }
    /// Exactly these steps were undone, in any order.
    template <class... Name>
    SagaScript& then_undone(const Name&... names) {
        return expect_undone({std::string{std::string_view{names}}...});
    }
    /// One was sent (or undone) in an earlier round than the other.
    SagaScript& then_before(std::string_view earlier, std::string_view later);
    SagaScript& then_undone_before(std::string_view earlier, std::string_view later);
    SagaScript& then_ends(SagaEnd end);
    /// The plan is refused for a reason that contains this.
    SagaScript& then_plan_refused(std::string_view why);

private:
    struct Script;
    SagaScript& expect_sent(std::vector<std::string> names);
    SagaScript& expect_undone(std::vector<std::string> names);
    std::unique_ptr<Script> script_;
};

}  // namespace recount::test
