#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "recount/saga.pb.h"

namespace recount::saga {

/// Whether a step's command does or undoes.
enum class Way : std::uint8_t { forth, back };

/// The id of a saga's command, a UUID of version 8 that is the same for ever: it follows from what
/// the saga recorded when it began, the step, the way and the attempt. The step's name is empty for
/// the command that goes out when all is undone.
///
/// Rule 1: all of it a hash of the saga's name and id, step, way and attempt. Rule 2, of sagas that
/// begin now: 60 bits of the time at which the starting event was recorded, then such a hash, so
/// that the ids of one saga, and of sagas that were started together, are neighbours in the index
/// of a store's outcomes.
///
/// Throws InvalidArgument for a rule that this program does not know.
std::string command_id(const v1::SagaBegun& begun, std::string_view step, Way way,
                       std::uint32_t attempt);

/// The rule that sagas record which begin now.
inline constexpr std::uint32_t rule_of_new_sagas = 2;
/// False: a newer program began it, and only such a one can carry it on.
bool knows_rule_of(const v1::SagaBegun& begun);

/// The command id under which a saga begins: another start of the same saga meets it.
std::string begin_id(std::string_view saga_name, std::string_view saga_id);

}  // namespace recount::saga
