#pragma once

#include <string>
#include <string_view>

#include <recount/core/append.hpp>
#include <recount/core/environment.hpp>
#include <recount/core/values.hpp>

#include "append_group.hpp"
#include "stored_rows.hpp"

namespace recount {

/// Outcomes are kept at least so long.
constexpr Duration shortest_retention = std::chrono::hours{1};

/// True for an outcome that maintain() removes: recorded before the horizon, and its command id, if
/// it tells its birth, born before it as well. So whatever the clocks: of an id whose outcome was
/// removed, expired() is true for ever.
bool forgotten(const OutcomeRow& outcome, Timestamp horizon);

/// True for a command id in UUIDv7 layout that was born before the horizon: when it has no outcome,
/// nobody knows any more whether it happened.
bool expired(std::string_view command_id, Timestamp horizon);

/// What the verdict says to the caller.
std::string expired_message(std::string_view command_id, Timestamp horizon);

/// True when every id of the group that tells its birth is so young that no horizon can be behind
/// it, though clocks differ by minutes.
bool all_young(AppendGroup group, Timestamp now);

}  // namespace recount
