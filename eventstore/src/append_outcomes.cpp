#include "append_plan.hpp"

namespace recount {

AppendResult repeated(const CommandOutcome& first, const Hash& request) {
    AppendResult result;
    if (first.request == request || first.kind == CommandOutcome::Kind::voided) {
        result.kind = AppendResult::Kind::repeated;
        result.outcome = first;
        return result;
    }
    result.kind = AppendResult::Kind::reused;
    result.message = "command id " + first.command_id + " was used before, at " +
                     to_string(first.recorded_at) +
                     ", for a command with other content; nothing was written. Give each command "
                     "an id of its own, and repeat a command with the content it had";
    return result;
}

CommandOutcome voided_outcome(std::string_view command_id, const StoreIdentity& identity,
                              Timestamp now) {
    CommandOutcome outcome;
    outcome.command_id = command_id;
    outcome.kind = CommandOutcome::Kind::voided;
    outcome.recorded_at = now;
    outcome.reached.store = identity.id;
    outcome.reached.incarnation = identity.incarnation;
    return outcome;
}

}  // namespace recount
