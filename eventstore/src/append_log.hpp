#pragma once

#include <exception>
#include <span>
#include <string_view>

#include <recount/core/append.hpp>

/// What is logged of appends, in fields: store, command_id, stream, version, position. Never a
/// payload, a header or an address. Committed at trace; other verdicts, and what may be tried
/// again, at debug, as the caller is told; what failed for good as a warning.
namespace recount {

void log_verdicts(std::string_view store, std::span<const Append> group,
                  std::span<const AppendResult> results);
/// Instead of conflicting, at debug.
void log_decided_again(std::string_view store, const Append& append);
void log_failure(std::string_view store, std::span<const Append> group,
                 const std::exception& failure);

}  // namespace recount
