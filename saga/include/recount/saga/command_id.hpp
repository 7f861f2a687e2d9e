#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace recount::saga {

/// Whether a step's command does or undoes.
enum class Way : std::uint8_t { forth, back };

/// The id of a saga's command (rule 1, recorded with each saga): it follows from the saga, the
/// step, the way and the attempt. The step's name is empty for the command that goes out when all
/// is undone. A name-based UUID, the same for ever.
std::string command_id(std::string_view saga_name, std::string_view saga_id, std::string_view step,
                       Way way, std::uint32_t attempt);

/// The command id under which a saga begins: another start of the same saga meets it.
std::string begin_id(std::string_view saga_name, std::string_view saga_id);

}  // namespace recount::saga
