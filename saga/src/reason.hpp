#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace recount::saga {

/// Text of any origin, made fit to be recorded: valid UTF-8, with '?' for each byte that is not,
/// and cut between two characters.
std::string recordable(std::string_view text, std::size_t most_bytes);

/// Why a person is asked. It may quote what somebody's code threw.
constexpr std::size_t reason_bytes = 2048;
inline std::string reason(std::string_view text) { return recordable(text, reason_bytes); }

}  // namespace recount::saga
