#include "last_event.hpp"

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

namespace recount {

void head_is_not_that_of(std::int64_t last_event, const Position& head, const std::string& store) {
    const std::string partition = std::to_string(head.partition.value);
    throw Divergence(store + ": the head of partition " + partition + " is at position " +
                     to_string(head) + ", and the partition's last event is " +
                     (last_event == head.n
                          ? "there with another hash"
                          : "at " + to_string(Position{head.partition, last_event})) +
                     ": a row was changed or removed, and nothing is appended; run `recount store "
                     "verify-chain`, and restore a backup, or that row of table partition");
}

}  // namespace recount
