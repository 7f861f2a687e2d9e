#include <algorithm>
#include <utility>

#include <recount/saga/state.hpp>

#include "reason.hpp"

namespace recount::saga {
namespace {

constexpr std::size_t detail_bytes = 256;  // of a refusal, as recorded

std::int64_t micros(Timestamp when) { return when.time_since_epoch().count(); }

/// Events as they are decided, each folded at once, so that the next follows from it.
struct Deciding {
    Saga saga;
    Decision<Saga> decision = {};

    template <class Event>
    void add(Event event) {
        saga = evolve(std::move(saga), event);
        decision.add(std::move(event));
    }
    void add(const RecordedPlan::Page& page) {
        saga = with_page(std::move(saga), page);
        decision.add(*page);
    }
    Move result() && { return {std::move(saga), std::move(decision)}; }
};

bool asks_already(const Saga& saga, const std::string& why) {
    return saga.attention.find(reason(why)) != std::string::npos;
}

/// With what a person was asked before, which is still to be dealt with. That may be what halted
/// the saga, so news takes no more than half of the room from it.
std::string asked_before_and(const Saga& saga, const std::string& why) {
    if (saga.attention.empty()) return reason(why);
    if (asks_already(saga, why)) return saga.attention;
    return reason(recordable(saga.attention, reason_bytes / 2) + "; " + why);
}

void ask(Deciding& deciding, const std::string& why, bool halts, std::int64_t now) {
    v1::NeedsAttention attention;
    attention.set_reason(asked_before_and(deciding.saga, why));
    attention.set_halts(halts);
    attention.set_at_us(now);
    deciding.add(std::move(attention));
}

void begin_undoing(Deciding& now_deciding, std::string reason, std::int64_t now) {
    v1::UndoBegun begun;
    begun.set_reason(std::move(reason));
    begun.set_at_us(now);
    now_deciding.add(std::move(begun));
}

template <class Event>
Event sent(const Saga& saga, std::vector<std::uint32_t> steps, std::int64_t now) {
    std::sort(steps.begin(), steps.end());
    const bool again = std::any_of(steps.begin(), steps.end(),
                                   [&](std::uint32_t step) { return saga.attempts[step] > 0; });
    Event event;
    for (const std::uint32_t step : steps) {
        event.add_steps(step);
        if (again) event.add_attempts(saga.attempts[step] + 1);
    }
    event.set_at_us(now);
    return event;
}

/// Why a running saga must be undone; empty when it need not.
std::string failure_of(const Saga& saga, std::int64_t now) {
    const auto name = [&](std::uint32_t step) {
        return "step \"" + saga.plan->step(step).name() + "\"";
    };
    if (!saga.first_refused.empty()) {
        const std::uint32_t step = saga.first_refused.front();
        const auto refusal = saga.refusals.find(step);
        if (refusal == saga.refusals.end()) return name(step) + " was voided";
        const std::string& detail = refusal->second.detail;
        return name(step) + " was refused: " + refusal->second.code +
               (detail.empty() ? "" : " (" + detail + ")");
    }
    if (saga.unsettled == 0) return {};
    const std::int64_t deadline = saga.begun().deadline_us();
    if (deadline > 0 && now - saga.begun().begun_at_us() >= deadline)
        return "the deadline, " + std::to_string(deadline / 1000) + " ms after the begin, passed";
    for (const Timed& open : saga.open) {
        const std::int64_t limit = saga.plan->step(open.step).within_us();
        if (limit > 0 && now - open.at_us >= limit)
            return name(open.step) + " was not answered within " + std::to_string(limit / 1000) +
                   " ms";
    }
    return {};
}

void end(Deciding& deciding, v1::SagaEnded::How how, std::int64_t now) {
    v1::SagaEnded ended;
    ended.set_how(how);
    ended.set_at_us(now);
    deciding.add(std::move(ended));
}

void go_forward(Deciding& deciding, std::int64_t now) {
    if (std::string failure = failure_of(deciding.saga, now); !failure.empty()) {
        begin_undoing(deciding, std::move(failure), now);
    } else if (deciding.saga.unsettled == 0) {
        end(deciding, v1::SagaEnded::COMPLETED, now);
    } else if (!deciding.saga.ready.empty()) {
        deciding.add(sent<v1::StepsSent>(deciding.saga, deciding.saga.ready, now));
    }
}

std::string name_of(const Saga& saga, std::uint32_t step) {
    return step == saga.when_undone() ? "the command for when all is undone"
                                      : "the undo of step \"" + saga.plan->step(step).name() + "\"";
}

void ask_about_stuck(Deciding& deciding, std::int64_t now) {
    const Saga& saga = deciding.saga;
    const auto stuck = static_cast<std::uint32_t>(
        std::find(saga.steps.begin(), saga.steps.end(), StepState::undo_stuck) -
        saga.steps.begin());
    const auto refusal = saga.refusals.find(stuck);
    const std::string why =
        name_of(saga, stuck) + " was refused " + std::to_string(saga.tries[stuck]) + " times" +
        (refusal == saga.refusals.end() ? "" : ", at last: " + refusal->second.code) +
        (saga.stuck > 1 ? "; and " + std::to_string(saga.stuck - 1) + " other undos" : "") +
        "; remove the cause, then resume the saga";
    ask(deciding, why, true, now);
}

void go_back(Deciding& deciding, std::int64_t now) {
    std::vector<std::uint32_t> send = deciding.saga.ready;
    for (const Timed& timed : deciding.saga.again)
        if (timed.at_us <= now) send.push_back(timed.step);
    if (!send.empty()) deciding.add(sent<v1::UndosSent>(deciding.saga, std::move(send), now));

    const Saga& saga = deciding.saga;
    if (saga.unsettled == 0) {
        end(deciding, v1::SagaEnded::COMPENSATED, now);
    } else if (saga.stuck > 0 && saga.open.empty() && saga.again.empty()) {
        ask_about_stuck(deciding, now);
    }
}

/// What follows from where the saga stands.
void carry_on(Deciding& deciding, std::int64_t now) {
    if (!deciding.saga.alive() || !deciding.saga.plan->complete()) return;
    if (deciding.saga.phase == Phase::running) go_forward(deciding, now);
    if (deciding.saga.phase == Phase::undoing) go_back(deciding, now);
}

/// Time made the saga fail, and now that all is certain every step turns out to be done. Nothing
/// failed, and no undo was sent yet. The last steps are looked at first: they are undone first.
void end_if_all_happened(Deciding& deciding, std::int64_t now) {
    const Saga& saga = deciding.saga;
    if (!saga.alive() || saga.phase != Phase::undoing) return;
    const auto happened = [](StepState state) {
        return state == StepState::accepted || state == StepState::nothing ||
               state == StepState::undo_waiting || state == StepState::undo_ready;
    };
    const auto very_last = saga.steps.rbegin();
    const bool undone = *very_last != StepState::left && !happened(*very_last);
    if (!undone && std::all_of(very_last + 1, saga.steps.rend(), happened))
        end(deciding, v1::SagaEnded::COMPLETED, now);
}

/// Those answers that somebody waits for, each step once, in order.
std::vector<Answer> awaited(const Saga& saga, std::vector<Answer> answers, Way way) {
    const StepState open = way == Way::forth ? StepState::sent : StepState::undo_sent;
    std::erase_if(answers, [&](const Answer& answer) {
        return answer.step >= saga.steps.size() || answer.way != way ||
               saga.steps[answer.step] != open || saga.attempts[answer.step] != answer.attempt;
    });
    const auto by_step = [](const Answer& l, const Answer& r) { return l.step < r.step; };
    std::stable_sort(answers.begin(), answers.end(), by_step);
    const auto same = [](const Answer& l, const Answer& r) { return l.step == r.step; };
    answers.erase(std::unique(answers.begin(), answers.end(), same), answers.end());
    return answers;
}

void add_refusal(v1::Refused& refused, const Answer& answer) {
    refused.set_step(answer.step);
    refused.set_code(recordable(answer.rejection.code, detail_bytes));
    refused.set_detail(recordable(answer.rejection.detail, detail_bytes));
}

void learn_of_steps(Deciding& deciding, const std::vector<Answer>& answers, std::int64_t now) {
    v1::StepsAnswered answered;
    v1::StepsVoided voided;
    for (const Answer& answer : awaited(deciding.saga, answers, Way::forth)) {
        switch (answer.kind) {
            case CommandOutcome::Kind::events:
                answered.add_accepted(answer.step);
                break;
            case CommandOutcome::Kind::nothing:
                answered.add_nothing(answer.step);
                break;
            case CommandOutcome::Kind::refused:
                add_refusal(*answered.add_refused(), answer);
                break;
            case CommandOutcome::Kind::voided:
                voided.add_steps(answer.step);
                break;
        }
    }
    answered.set_at_us(now);
    voided.set_at_us(now);
    if (answered.accepted_size() + answered.nothing_size() + answered.refused_size() > 0)
        deciding.add(std::move(answered));
    if (voided.steps_size() > 0) deciding.add(std::move(voided));
}

void learn_of_undos(Deciding& deciding, const std::vector<Answer>& answers, std::int64_t now) {
    v1::UndosAnswered answered;
    for (const Answer& answer : awaited(deciding.saga, answers, Way::back)) {
        switch (answer.kind) {
            case CommandOutcome::Kind::events:
            case CommandOutcome::Kind::nothing:
                answered.add_undone(answer.step);
                break;
            case CommandOutcome::Kind::refused:
                add_refusal(*answered.add_refused(), answer);
                break;
            case CommandOutcome::Kind::voided:
                answered.add_refused()->set_step(answer.step);
                answered.mutable_refused()->rbegin()->set_code("voided");
                break;
        }
    }
    answered.set_at_us(now);
    if (answered.undone_size() + answered.refused_size() > 0) deciding.add(std::move(answered));
}

}  // namespace

Move move(Saga saga, const Begin& command) {
    Deciding deciding{std::move(saga)};
    if (deciding.saga.phase != Phase::none) return std::move(deciding).result();
    deciding.add(command.begun);
    for (const RecordedPlan::Page& page : command.pages) deciding.add(page);
    carry_on(deciding, command.begun.begun_at_us());
    return std::move(deciding).result();
}

Move move(Saga saga, const Refuse& command) {
    Deciding deciding{std::move(saga)};
    if (deciding.saga.phase != Phase::none) return std::move(deciding).result();
    deciding.add(command.begun);
    ask(deciding, command.reason, true, command.begun.begun_at_us());
    return std::move(deciding).result();
}

Move move(Saga saga, const Learn& command) {
    Deciding deciding{std::move(saga)};
    if (deciding.saga.phase == Phase::none || deciding.saga.ended())
        return std::move(deciding).result();
    const std::int64_t now = micros(command.now);
    if (deciding.saga.phase == Phase::undoing) {
        learn_of_undos(deciding, command.answers, now);
    } else {
        learn_of_steps(deciding, command.answers, now);
    }
    end_if_all_happened(deciding, now);
    carry_on(deciding, now);
    return std::move(deciding).result();
}

Move move(Saga saga, const AskPerson& command) {
    Deciding deciding{std::move(saga)};
    const bool changes_nothing =
        asks_already(deciding.saga, command.reason) && (deciding.saga.halted || !command.halts);
    if (deciding.saga.phase == Phase::none || changes_nothing) return std::move(deciding).result();
    ask(deciding, command.reason, command.halts, micros(command.now));
    return std::move(deciding).result();
}

// What follows is for the engine to say: whether a limit has passed is a matter of its clock.
Move move(Saga saga, const Resume& command) {
    Deciding deciding{std::move(saga)};
    const bool planned = deciding.saga.plan->complete();
    if (deciding.saga.attention.empty()) return std::move(deciding).result();
    if (!planned) {
        deciding.decision =
            reject("plan_refused", "its plan was refused, so there is nothing to go on with: " +
                                       deciding.saga.attention);
        return std::move(deciding).result();
    }
    v1::SagaResumed resumed;
    resumed.set_by(command.by);
    resumed.set_at_us(micros(command.now));
    deciding.add(std::move(resumed));
    return std::move(deciding).result();
}

}  // namespace recount::saga
