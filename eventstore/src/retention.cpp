#include "retention.hpp"

#include <recount/core/ids.hpp>

#include <algorithm>
#include <optional>

namespace recount {
namespace {

std::optional<Timestamp> birth_of(std::string_view command_id) {
    const auto uuid = parse_uuid(command_id);
    return uuid ? born_at(*uuid) : std::nullopt;
}

}  // namespace

bool forgotten(const OutcomeRow& outcome, Timestamp horizon) {
    if (outcome.recorded_at >= horizon) return false;
    const auto birth = birth_of(outcome.command_id);
    return !birth || *birth < horizon;
}

bool expired(std::string_view command_id, Timestamp horizon) {
    if (horizon == Timestamp{}) return false;
    const auto birth = birth_of(command_id);
    return birth && *birth < horizon;
}

std::string expired_message(std::string_view command_id, Timestamp horizon) {
    return "command id " + std::string{command_id} + " was born at " +
           to_string(birth_of(command_id).value_or(Timestamp{})) +
           ", and what became of commands is remembered from " + to_string(horizon) +
           " on only; nothing was written. Look whether it happened; if not, send it under a new "
           "id";
}

bool all_young(AppendGroup group, Timestamp now) {
    const Timestamp youth = now - shortest_retention / 2;
    return std::all_of(group.begin(), group.end(), [youth](const Append* append) {
        const auto birth = birth_of(append->metadata.command_id);
        return !birth || *birth >= youth;
    });
}

}  // namespace recount
