#pragma once

#include <cstdint>
#include <string>

#include <recount/core/values.hpp>

namespace recount {

/// A partition's head is a row of its own beside the events. Should a disk have changed it, events
/// that are put behind it would break the chain for good, as they are never changed; as long as
/// there are none, the row can be put right. So a process compares the two before it goes on from a
/// head that it did not leave there. Says that they differ.
[[noreturn]] void head_is_not_that_of(std::int64_t last_event, const Position& head,
                                      const std::string& store);

}  // namespace recount
