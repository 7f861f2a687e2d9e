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

}  // namespace

std::optional<Timestamp> due(const Saga& saga) {
    std::optional<Timestamp> first;
    if (!saga.alive()) return first;
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
