#include <algorithm>
#include <limits>
#include <utility>

#include <recount/saga/state.hpp>

#include "moments.hpp"

namespace recount::saga {
namespace {

/// Open steps are those in state sent or undo_sent; the rest has been answered.
void close_answered(Saga& saga) {
    std::erase_if(saga.open, [&](const Timed& open) {
        const StepState state = saga.steps[open.step];
        return state != StepState::sent && state != StepState::undo_sent;
    });
}

void start_going_forward(Saga& saga) {
    const RecordedPlan& plan = *saga.plan;
    saga.steps.assign(plan.size() + 1, StepState::waiting);
    saga.attempts.assign(plan.size() + 1, 0);
    saga.tries.assign(plan.size() + 1, 0);
    saga.waits.assign(plan.size(), 0);
    saga.missing.assign(plan.groups(), 0);
    saga.unsettled = plan.size();
    for (std::uint32_t group = 0; group < plan.groups(); ++group)
        saga.missing[group] = static_cast<std::uint32_t>(plan.members(group).size());
    for (std::uint32_t step = 0; step < plan.size(); ++step) {
        saga.waits[step] = static_cast<std::uint32_t>(plan.step(step).after_size());
        if (saga.waits[step] > 0) continue;
        saga.steps[step] = StepState::ready;
        saga.ready.push_back(step);
    }
}

/// A step is done: who waited for the last of a group waits no longer.
void step_done(Saga& saga, std::uint32_t step, StepState how) {
    saga.steps[step] = how;
    --saga.unsettled;
    for (const std::uint32_t group : saga.plan->groups_with(step)) {
        if (--saga.missing[group] > 0) continue;
        for (const std::uint32_t dependent : saga.plan->dependents(group)) {
            if (--saga.waits[dependent] > 0) continue;
            saga.steps[dependent] = StepState::ready;
            saga.ready.push_back(dependent);
        }
    }
}

bool has_undo(const Saga& saga, std::uint32_t step) {
    return step == saga.when_undone() ? saga.begun().has_when_undone()
                                      : saga.plan->step(step).has_undo();
}

/// Steps behind which nothing is left to undo are settled or may be undone themselves; a settled
/// one frees those before it. `free` are steps that no later one keeps waiting.
void settle(Saga& saga, std::vector<std::uint32_t> free) {
    for (std::size_t at = 0; at < free.size(); ++at) {
        const std::uint32_t step = free[at];
        const StepState state = saga.steps[step];
        if (state == StepState::undo_waiting) {
            saga.steps[step] = StepState::undo_ready;
            saga.ready.push_back(step);
            continue;
        }
        --saga.unsettled;
        if (step == saga.when_undone()) continue;
        for (const std::uint32_t group : saga.plan->step(step).after()) {
            if (--saga.missing[group] > 0) continue;
            for (const std::uint32_t member : saga.plan->members(group))
                if (--saga.waits[member] == 0) free.push_back(member);
        }
        if (saga.unsettled == 1) free.push_back(saga.when_undone());
    }
}

/// Everything is certain: the same counts now tell which undo must wait for which. What is sent at
/// the very end waits for all.
void start_undoing(Saga& saga) {
    const RecordedPlan& plan = *saga.plan;
    saga.phase = Phase::undoing;
    saga.ready.clear();
    saga.unsettled = plan.size() + 1;
    saga.waits.assign(plan.size(), 0);
    saga.missing.assign(plan.groups(), 0);
    for (std::uint32_t group = 0; group < plan.groups(); ++group)
        saga.missing[group] = static_cast<std::uint32_t>(plan.dependents(group).size());
    std::vector<std::uint32_t> free;
    for (std::uint32_t step = 0; step < plan.size(); ++step) {
        saga.waits[step] = static_cast<std::uint32_t>(plan.groups_with(step).size());
        if (saga.waits[step] == 0) free.push_back(step);
        StepState& state = saga.steps[step];
        if (state == StepState::accepted && has_undo(saga, step)) {
            state = StepState::undo_waiting;
            saga.attempts[step] = 0;
        } else if (state == StepState::waiting || state == StepState::ready) {
            state = StepState::left;
        }
    }
    saga.steps[plan.size()] =
        has_undo(saga, plan.size()) ? StepState::undo_waiting : StepState::left;
    settle(saga, std::move(free));
}

/// Nothing failed after all, and no undo was sent: the steps are as they were when the last was
/// answered.
void stop_undoing(Saga& saga) {
    for (std::uint32_t step = 0; step < saga.plan->size(); ++step) {
        const StepState state = saga.steps[step];
        if (state != StepState::undo_waiting && state != StepState::undo_ready) continue;
        saga.steps[step] = StepState::accepted;
        saga.attempts[step] = 1;  // no step is sent twice
    }
    saga.steps[saga.when_undone()] = StepState::waiting;
    saga.ready.clear();
    saga.unsettled = 0;
    saga.failure.clear();
}

void undo_when_certain(Saga& saga) {
    if (saga.phase == Phase::making_certain && saga.open.empty()) start_undoing(saga);
}

/// Marks steps as sent: they are open, and ready no longer.
template <class Sent>
void mark_sent(Saga& saga, const Sent& event, StepState state) {
    for (int i = 0; i < event.steps_size(); ++i) {
        const std::uint32_t step = event.steps(i);
        saga.steps[step] = state;
        saga.attempts[step] = i < event.attempts_size() ? event.attempts(i) : 1;
        saga.open.push_back({step, event.at_us()});
    }
    std::erase_if(saga.ready, [&](std::uint32_t step) { return saga.steps[step] == state; });
}

}  // namespace

Saga evolve(Saga saga, const v1::SagaBegun& event) {
    saga.phase = Phase::running;
    saga.plan = std::make_shared<const RecordedPlan>(event, std::vector<RecordedPlan::Page>{});
    return saga;
}

Saga evolve(Saga saga, const v1::StepsPlanned& event) {
    return with_page(std::move(saga), std::make_shared<const v1::StepsPlanned>(event));
}

Saga with_page(Saga saga, RecordedPlan::Page page) {
    saga.plan = std::make_shared<const RecordedPlan>(saga.plan->with(std::move(page)));
    if (saga.plan->complete()) start_going_forward(saga);
    return saga;
}

Saga evolve(Saga saga, const v1::StepsSent& event) {
    mark_sent(saga, event, StepState::sent);
    return saga;
}

Saga evolve(Saga saga, const v1::StepsAnswered& event) {
    for (const std::uint32_t step : event.accepted()) step_done(saga, step, StepState::accepted);
    for (const std::uint32_t step : event.nothing()) step_done(saga, step, StepState::nothing);
    for (const v1::Refused& refused : event.refused()) {
        saga.steps[refused.step()] = StepState::refused;
        saga.refusals[refused.step()] = {refused.code(), refused.detail()};
        saga.first_refused.push_back(refused.step());
    }
    close_answered(saga);
    undo_when_certain(saga);
    return saga;
}

Saga evolve(Saga saga, const v1::UndoBegun& event) {
    saga.phase = Phase::making_certain;
    saga.failure = event.reason();
    undo_when_certain(saga);
    return saga;
}

Saga evolve(Saga saga, const v1::StepsVoided& event) {
    for (const std::uint32_t step : event.steps()) {
        saga.steps[step] = StepState::voided;
        saga.first_refused.push_back(step);
    }
    close_answered(saga);
    undo_when_certain(saga);
    return saga;
}

Saga evolve(Saga saga, const v1::UndosSent& event) {
    mark_sent(saga, event, StepState::undo_sent);
    for (const std::uint32_t step : event.steps()) ++saga.tries[step];
    std::erase_if(saga.again, [&](const Timed& timed) {
        return saga.steps[timed.step] == StepState::undo_sent;
    });
    return saga;
}

Saga evolve(Saga saga, const v1::UndosAnswered& event) {
    const v1::SagaBegun& begun = saga.begun();
    for (const v1::Refused& refused : event.refused()) {
        const std::uint32_t step = refused.step();
        saga.refusals[step] = {refused.code(), refused.detail()};
        const std::uint32_t doublings = std::min<std::uint32_t>(saga.tries[step] - 1, 20);
        const auto due = later_us(event.at_us(), doubled_us(begun.undo_backoff_us(), doublings));
        if (saga.tries[step] >= begun.undo_attempts() || !due) {
            saga.steps[step] = StepState::undo_stuck;
            ++saga.stuck;
            continue;
        }
        saga.steps[step] = StepState::undo_refused;
        saga.again.push_back({step, *due});
    }
    for (const std::uint32_t step : event.undone()) saga.steps[step] = StepState::undone;
    close_answered(saga);
    settle(saga, {event.undone().begin(), event.undone().end()});
    return saga;
}

Saga evolve(Saga saga, const v1::NeedsAttention& event) {
    saga.attention = event.reason();
    saga.halted = saga.halted || event.halts();
    return saga;
}

/// Undos that were refused too often may be tried as often again, and at once: the clock of the
/// person who resumed may be ahead of the engine's.
Saga evolve(Saga saga, const v1::SagaResumed&) {
    saga.attention.clear();
    saga.halted = false;
    if (saga.stuck == 0) return saga;
    for (std::uint32_t step = 0; step < saga.steps.size(); ++step) {
        if (saga.steps[step] != StepState::undo_stuck) continue;
        saga.steps[step] = StepState::undo_refused;
        saga.tries[step] = 0;
        saga.again.push_back({step, 0});
    }
    saga.stuck = 0;
    return saga;
}

Saga evolve(Saga saga, const v1::SagaEnded& event) {
    if (event.how() == v1::SagaEnded::COMPLETED && saga.phase == Phase::undoing) stop_undoing(saga);
    saga.phase = event.how() == v1::SagaEnded::COMPLETED ? Phase::completed : Phase::compensated;
    saga.ended_us = event.at_us();
    return saga;
}

}  // namespace recount::saga
