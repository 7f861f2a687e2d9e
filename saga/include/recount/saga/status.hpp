#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/streams.hpp>
#include <recount/core/values.hpp>

namespace recount {

/// What a page shows of one step.
struct StepStatus {
    std::string name;    // "when_undone" for the command that goes out when all is undone
    std::string state;   // "waiting", "ready", "sent", "accepted", "nothing", "refused", "voided",
                         // "undo_waiting", "undo_ready", "undo_sent", "undo_refused", "undo_stuck",
                         // "undone", "left"
    std::string stream;  // where its command goes
    std::uint32_t attempt = 0;
    Rejection refusal;  // the last one, of the step or of its undo
};

/// What a page shows of one saga.
struct SagaStatus {
    std::string name, id;
    std::string phase;      // "running", "making_certain", "undoing", "completed", "compensated"
    std::string attention;  // why a person is asked; empty: nobody is
    bool halted = false;    // nothing moves before it is resumed
    std::string failure;    // why undoing began; empty when all was done after all
    Version version;
    Timestamp begun_at, occurred_at;
    std::optional<Timestamp> deadline, ended_at;
    std::vector<StepStatus> steps;
};

/// The saga as its stream tells it, read now; nothing when there is none. Needs no engine: any
/// process that reads the store may ask.
std::optional<SagaStatus> saga_status(Streams& streams, std::string_view name, std::string_view id);

/// Lets a saga that waits for a person go on where it stood: what was refused too often is tried as
/// often again. Recorded with `by`, which says who and why; engines hear of it from the log. Of a
/// saga whose stream was closed or erased only the alarm is let go.
/// Refused (with its reason) when the saga waits for nobody or has no plan to go on with; throws
/// InvalidArgument when there is no such saga, and what the store throws.
std::optional<Rejection> resume_saga(Streams& streams, std::string_view name, std::string_view id,
                                     std::string_view by);

}  // namespace recount
