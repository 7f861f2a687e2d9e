#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include <recount/eventstore.hpp>

#include "commands.hpp"

namespace recount::tools {

/// What a command shows of the log.
struct LogRange {
    std::int32_t partition = -1;  // all
    std::int64_t after = 0;
    std::size_t limit = std::numeric_limits<std::size_t>::max();
    std::string category;
    std::string type;
};

/// Prints what the log holds; returns how many events.
std::size_t show_log(Context& context, EventStore& store, const LogRange& range);
/// From the head on, as events come, until interrupted or at the limit.
void tail_log(Context& context, EventStore& store, const LogRange& range);

}  // namespace recount::tools
