#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/decision.hpp>
#include <recount/core/events.hpp>
#include <recount/saga/command_id.hpp>
#include <recount/saga/recorded_plan.hpp>

#include "recount/saga.pb.h"

/// The pure half of sagas: what a saga's stream says, and what follows from an answer. The engine
/// carries it out; users meet it in tests only, as `given<Checkout>(…)`.
namespace recount::saga {

enum class StepState : std::uint8_t {
    waiting,       // for others
    ready,         // waits for nothing any more
    sent,          // recorded as sent; open until it is answered
    accepted,      // executed
    nothing,       // what was asked for was so already: done, nothing to undo
    refused,       // by its decider
    voided,        // its command id was claimed before it could happen
    undo_waiting,  // executed; its undo waits for those of later steps
    undo_ready,
    undo_sent,     // open until it is answered
    undo_refused,  // and to be sent again after a pause
    undo_stuck,    // refused too often; a person is asked
    undone,
    left,  // not executed, or without an undo: nothing to take back
};

enum class Phase : std::uint8_t {
    none,            // no such saga
    running,         // steps are sent and answered
    making_certain,  // something failed; open steps are voided, or turn out to have happened
    undoing,         // executed steps are undone, in the reverse of the order of dependency
    completed,
    compensated,
};

/// A step and a moment: when it was sent, or when it is due again.
struct Timed {
    std::uint32_t step = 0;
    std::int64_t at_us = 0;
};

/// A saga as its stream tells it. What belongs to a step is kept in flat vectors, and the plan is
/// shared: a copy is cheap, and each event costs what its own steps cost.
struct Saga {
    static constexpr std::string_view category = "saga";  // streams are "saga-<name>.<id>"
    using Event = Events<v1::SagaBegun, v1::StepsPlanned, v1::StepsSent, v1::StepsAnswered,
                         v1::UndoBegun, v1::StepsVoided, v1::UndosSent, v1::UndosAnswered,
                         v1::NeedsAttention, v1::SagaResumed, v1::SagaEnded>;

    Phase phase = Phase::none;
    std::shared_ptr<const RecordedPlan> plan = std::make_shared<const RecordedPlan>();
    std::string attention;  // why a person is asked; empty: nobody is
    bool halted = false;    // nothing moves before a person lets it go on
    std::string failure;    // why undoing began, unless all was done after all
    std::int64_t ended_us = 0;

    std::vector<StepState> steps;         // one more than the plan has: what is sent when undone
    std::vector<std::uint32_t> attempts;  // the last one sent, in the step's present direction
    std::vector<std::uint32_t> tries;     // of an undo, since it was last let go on
    std::map<std::uint32_t, Rejection> refusals;  // the last one of a step
    std::vector<std::uint32_t> first_refused;     // steps that were refused or voided while running

    std::vector<Timed> open;           // sent and not answered
    std::vector<std::uint32_t> ready;  // to be sent
    std::vector<Timed> again;          // undos to be sent once more, and when
    std::uint32_t stuck = 0;           // undos refused too often
    std::uint32_t unsettled = 0;       // steps not done; when undoing, steps not settled

    // Of a step: groups that keep it waiting. Of a group: members not done; when undoing, steps
    // that wait for the group and are not settled.
    std::vector<std::uint32_t> waits;
    std::vector<std::uint32_t> missing;

    [[nodiscard]] const v1::SagaBegun& begun() const { return plan->begun(); }
    [[nodiscard]] bool ended() const {
        return phase == Phase::completed || phase == Phase::compensated;
    }
    /// True when the engine has anything to do for it, now or later.
    [[nodiscard]] bool alive() const { return phase != Phase::none && !ended() && !halted; }
    /// The index that stands for the command that goes out when everything is undone.
    [[nodiscard]] std::uint32_t when_undone() const { return plan->size(); }
};

Saga evolve(Saga saga, const v1::SagaBegun& event);
Saga evolve(Saga saga, const v1::StepsPlanned& event);
Saga with_page(Saga saga, RecordedPlan::Page page);  // the same, and shares the page
Saga evolve(Saga saga, const v1::StepsSent& event);
Saga evolve(Saga saga, const v1::StepsAnswered& event);
Saga evolve(Saga saga, const v1::UndoBegun& event);
Saga evolve(Saga saga, const v1::StepsVoided& event);
Saga evolve(Saga saga, const v1::UndosSent& event);
Saga evolve(Saga saga, const v1::UndosAnswered& event);
Saga evolve(Saga saga, const v1::NeedsAttention& event);
Saga evolve(Saga saga, const v1::SagaResumed& event);
Saga evolve(Saga saga, const v1::SagaEnded& event);

/// What became of a command that a saga sent, or of a command id that it claimed. One that nobody
/// waits for (any more) is ignored.
struct Answer {
    std::uint32_t step = 0;
    Way way = Way::forth;
    std::uint32_t attempt = 1;
    CommandOutcome::Kind kind = CommandOutcome::Kind::nothing;
    Rejection rejection;
};

// What a saga decides on. All of them know the time; none of them looks at a clock.
struct Begin {
    v1::SagaBegun begun;
    std::vector<RecordedPlan::Page> pages;
};
/// The plan was refused: recorded, and a person is asked.
struct Refuse {
    v1::SagaBegun begun;
    std::string reason;
};
/// Answers that came in, or none: then only time has passed.
struct Learn {
    Timestamp now;
    std::vector<Answer> answers;
};
struct AskPerson {
    Timestamp now;
    std::string reason;
    bool halts = true;
};
struct Resume {
    Timestamp now;
    std::string by;
};

/// A decision, and the saga it leads to.
struct Move {
    Saga saga;
    Decision<Saga> decision;
};
Move move(Saga saga, const Begin& command);
Move move(Saga saga, const Refuse& command);
Move move(Saga saga, const Learn& command);
Move move(Saga saga, const AskPerson& command);
Move move(Saga saga, const Resume& command);

template <class Command>
Decision<Saga> decide(const Saga& saga, const Command& command) requires requires {
    move(saga, command);
}
{ return move(saga, command).decision; }

/// When something is due by time alone: a deadline, the limit of an open step, an undo to be sent
/// again, or, at once, what is left to do since the saga was resumed. Nothing: never.
std::optional<Timestamp> due(const Saga& saga);

}  // namespace recount::saga
