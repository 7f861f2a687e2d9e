#pragma once

#include <recount/eventstore.hpp>

#include <string>

#include "bench/harness.hpp"

namespace recount::bench {

/// Queries and processor time of a process with a relay that has nothing to do.
void compare_idle(Harness& harness);
/// From a committed append to its event being read from Kafka.
void compare_latency(Harness& harness);

/// An event of 120 bytes to a stream.
void append_to(EventStore& store, const std::string& stream);

/// What the other processes of a load are told to do.
inline constexpr const char* relaying = "--relaying";    // URL and topic
inline constexpr const char* appending = "--appending";  // URL

/// The other process of a load, which main() becomes when its arguments say so; then it returns.
bool other_process(int count, char** arguments);

}  // namespace recount::bench
