#include <recount/saga/script.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include <recount/core/error.hpp>
#include <recount/saga/state.hpp>

#include "layout.hpp"

namespace recount::test {
namespace {

enum class Says { accepted, refused, nothing, unanswered, late };

constexpr std::int64_t start_us = 1'600'000'000'000'000;
constexpr std::string_view last_command = "when_undone";

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "nothing" : text;
}

}  // namespace

struct SagaScript::Script {
    Fail fail;
    std::map<std::string, std::pair<Says, std::string>, std::less<>> says;
    std::map<std::string, int, std::less<>> undo_refusals;
    saga::Saga saga;
    std::int64_t now_us = start_us;
    std::string plan_refused;
    std::map<std::string, int, std::less<>> sent_in, undone_in;  // the round of each
    int round = 0;
    bool ran = false;
    bool expected = false;

    [[nodiscard]] Timestamp now() const { return Timestamp{std::chrono::microseconds{now_us}}; }

    [[nodiscard]] std::string name(std::uint32_t step) const {
        return step == saga.when_undone() ? std::string{last_command}
                                          : saga.plan->step(step).name();
    }

    void check_name(std::string_view wanted) const {
        for (std::uint32_t step = 0; step <= saga.plan->size(); ++step)
            if (name(step) == wanted) return;
        fail("the plan has no step \"" + std::string{wanted} + "\"");
    }

    void begin(const Plan& plan, const std::vector<std::string>& commands) {
        saga::Begin begin;
        begin.begun.set_name("saga");
        begin.begun.set_id("test");
        begin.begun.set_begun_at_us(now_us);
        try {
            saga::Layout layout = saga::lay_out(plan.description(), [&](const NewEvent& command) {
                if (std::find(commands.begin(), commands.end(), command.type) == commands.end())
                    throw InvalidArgument("the saga's Command does not list " + command.type);
                return std::string{"test-1"};
            });
            saga::describe(plan.description(), layout, begin.begun);
            begin.pages = std::move(layout.pages);
            saga = move(std::move(saga), begin).saga;
        } catch (const InvalidArgument& refused) {
            plan_refused = refused.what();
        }
    }

    void learn(std::vector<saga::Answer> answers) {
        saga = move(std::move(saga), saga::Learn{now(), std::move(answers)}).saga;
    }

    [[nodiscard]] Says said(std::uint32_t step) const {
        const auto found = says.find(name(step));
        return found == says.end() ? Says::accepted : found->second.first;
    }

    /// What a decider answers, or what a claim of the command id finds.
    [[nodiscard]] saga::Answer answer_of(std::uint32_t step, bool claimed) const {
        using Kind = CommandOutcome::Kind;
        saga::Answer answer{step, saga::Way::forth, saga.attempts[step], Kind::events, {}};
        const Says what = said(step);
        if (what == Says::nothing) answer.kind = Kind::nothing;
        if (what == Says::unanswered && claimed) answer.kind = Kind::voided;
        if (what == Says::refused) {
            answer.kind = Kind::refused;
            answer.rejection.code = says.find(name(step))->second.second;
        }
        return answer;
    }

    saga::Answer answer_of_undo(std::uint32_t step) {
        saga::Answer answer{
            step, saga::Way::back, saga.attempts[step], CommandOutcome::Kind::events, {}};
        if (undo_refusals[name(step)] > 0) {
            --undo_refusals[name(step)];
            answer.kind = CommandOutcome::Kind::refused;
            answer.rejection.code = "refused";
        } else {
            undone_in[name(step)] = round;
        }
        return answer;
    }

    std::vector<saga::Answer> answers() {
        std::vector<saga::Answer> all;
        for (const saga::Timed& open : saga.open) {
            if (saga.phase == saga::Phase::undoing) {
                all.push_back(answer_of_undo(open.step));
            } else if (saga.phase == saga::Phase::making_certain) {
                all.push_back(answer_of(open.step, true));
            } else {
                sent_in.try_emplace(name(open.step), round);
                const Says what = said(open.step);
                if (what != Says::unanswered && what != Says::late)
                    all.push_back(answer_of(open.step, false));
            }
        }
        return all;
    }

    /// Until it ends, waits for a person, or waits for what no limit bounds.
    void run() {
        if (std::exchange(ran, true) || !plan_refused.empty()) return;
        while (saga.alive()) {
            ++round;
            std::vector<saga::Answer> all = answers();
            if (all.empty()) {
                const auto next = saga::due(saga);
                if (!next) return;
                now_us = std::max(now_us, next->time_since_epoch().count());
            }
            learn(std::move(all));
        }
    }

    void expecting() {
        expected = true;
        run();
        if (!plan_refused.empty()) fail("the plan was refused: " + plan_refused);
    }

    void compare(const char* what, std::vector<std::string> wanted,
                 const std::map<std::string, int, std::less<>>& rounds) {
        std::vector<std::string> found;
        for (const auto& [step, when] : rounds)
            if (step != last_command) found.push_back(step);
        std::sort(wanted.begin(), wanted.end());
        std::sort(found.begin(), found.end());
        if (wanted != found)
            fail(std::string{"expected "} + what + ": " + listed(wanted) + "\nbut it was: " +
                 listed(found) + (saga.failure.empty() ? "" : "\nbecause " + saga.failure));
    }

    void compare_order(std::string_view first, std::string_view second,
                       const std::map<std::string, int, std::less<>>& rounds) {
        const auto one = rounds.find(first);
        const auto other = rounds.find(second);
        if (one == rounds.end() || other == rounds.end() || one->second >= other->second)
            fail("expected \"" + std::string{first} + "\" before \"" + std::string{second} + "\"");
    }
};

SagaScript::SagaScript(const Plan& plan, const std::vector<std::string>& commands, Fail fail)
    : script_(std::make_unique<Script>()) {
    script_->fail = std::move(fail);
    script_->begin(plan, commands);
}

SagaScript::SagaScript(SagaScript&&) noexcept = default;

SagaScript::~SagaScript() {
    if (script_ && !script_->expected)
        script_->fail("this script expects nothing: end it with then_ends(...)");
}

SagaScript& SagaScript::refused(std::string_view step, std::string_view code) {
    script_->check_name(step);
    script_->says[std::string{step}] = {Says::refused, std::string{code}};
    return *this;
}

SagaScript& SagaScript::nothing(std::string_view step) {
    script_->check_name(step);
    script_->says[std::string{step}] = {Says::nothing, {}};
    return *this;
}

SagaScript& SagaScript::unanswered(std::string_view step) {
    script_->check_name(step);
    script_->says[std::string{step}] = {Says::unanswered, {}};
    return *this;
}

SagaScript& SagaScript::answered_late(std::string_view step) {
    script_->check_name(step);
    script_->says[std::string{step}] = {Says::late, {}};
    return *this;
}

SagaScript& SagaScript::undo_refused(std::string_view step, int times) {
    script_->check_name(step);
    script_->undo_refusals[std::string{step}] = times;
    return *this;
}

SagaScript& SagaScript::expect_sent(std::vector<std::string> names) {
    script_->expecting();
    script_->compare("these steps to be sent", std::move(names), script_->sent_in);
    return *this;
}

SagaScript& SagaScript::expect_undone(std::vector<std::string> names) {
    script_->expecting();
    script_->compare("these steps to be undone", std::move(names), script_->undone_in);
    return *this;
}

SagaScript& SagaScript::then_before(std::string_view earlier, std::string_view later) {
    script_->expecting();
    script_->compare_order(earlier, later, script_->sent_in);
    return *this;
}

SagaScript& SagaScript::then_undone_before(std::string_view earlier, std::string_view later) {
    script_->expecting();
    script_->compare_order(earlier, later, script_->undone_in);
    return *this;
}

SagaScript& SagaScript::then_ends(SagaEnd end) {
    script_->expecting();
    const saga::Saga& saga = script_->saga;
    const char* found = saga.phase == saga::Phase::completed     ? "completed"
                        : saga.phase == saga::Phase::compensated ? "compensated"
                        : saga.halted                            ? "waiting for a person"
                                                                 : "waiting for an answer";
    const char* wanted = end == completed     ? "completed"
                         : end == compensated ? "compensated"
                                              : "waiting for a person";
    if (std::string_view{found} != wanted)
        script_->fail(std::string{"expected the saga to end "} + wanted + ", but it is " + found +
                      (saga.failure.empty() ? "" : "\nbecause " + saga.failure) +
                      (saga.attention.empty() ? "" : "\n" + saga.attention));
    return *this;
}

SagaScript& SagaScript::then_plan_refused(std::string_view why) {
    script_->expected = true;
    if (script_->plan_refused.find(why) == std::string::npos || script_->plan_refused.empty())
        script_->fail(
            "expected the plan to be refused for \"" + std::string{why} + "\", but " +
            (script_->plan_refused.empty() ? "it was not" : "it was: " + script_->plan_refused));
    return *this;
}

}  // namespace recount::test
