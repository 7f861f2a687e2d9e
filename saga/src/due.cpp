#include <recount/saga/state.hpp>

#include "moments.hpp"

namespace recount::saga {
namespace {

std::optional<Timestamp> earlier(std::optional<Timestamp> one,
                                 std::optional<std::int64_t> other_us) {
    if (!other_us) return one;
    const Timestamp other{std::chrono::microseconds{*other_us}};
    return one && *one <= other ? one : other;
}

/// True when an answer came while the saga was halted, and what follows from it was not decided.
bool left_to_do(const Saga& saga) {
    if (saga.phase == Phase::running && !saga.first_refused.empty()) return true;
    const bool moves = saga.phase == Phase::running || saga.phase == Phase::undoing;
    return moves && (!saga.ready.empty() || saga.unsettled == 0);
}

}  // namespace

std::optional<Timestamp> due(const Saga& saga) {
    std::optional<Timestamp> first;
    if (!saga.alive() || !saga.plan->complete()) return first;
    if (left_to_do(saga)) return Timestamp{};
    if (saga.phase == Phase::running) {
        const v1::SagaBegun& begun = saga.begun();
        if (begun.deadline_us() > 0)
            first = earlier(first, later_us(begun.begun_at_us(), begun.deadline_us()));
        for (const Timed& open : saga.open) {
            const std::int64_t limit = saga.plan->step(open.step).within_us();
            if (limit > 0) first = earlier(first, later_us(open.at_us, limit));
        }
    }
    if (saga.phase == Phase::undoing)
        for (const Timed& timed : saga.again) first = earlier(first, timed.at_us);
    return first;
}

}  // namespace recount::saga
