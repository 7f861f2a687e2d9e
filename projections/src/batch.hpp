#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/arena.h>

#include "generation.hpp"

namespace recount::projections {

/// Events read once for several views, checked against the chain and decoded once. Partition after
/// partition, in order within each. One thread.
class EventBatch {
public:
    EventBatch() = default;
    EventBatch(const EventBatch&) = delete;
    EventBatch& operator=(const EventBatch&) = delete;

    /// Adds the events of one partition behind `from`, up to position `last`. Replays are
    /// recognised and left out; throws Divergence when the chain does not hold.
    void add(Partition partition, const Checkpoint& from, LogPage page, std::int64_t last,
             const Uuid& store, const std::vector<Incarnation>& incarnations);

    /// One event that was checked when it was parked.
    void add_unchecked(RecordedEvent event);

    [[nodiscard]] const std::vector<RecordedEvent>& events() const { return events_; }
    [[nodiscard]] const std::vector<Move>& moves() const { return moves_; }
    [[nodiscard]] bool empty() const { return events_.empty(); }

    /// The event as a message; made at the first call, shared by all views. Throws UnreadableEvent.
    const google::protobuf::Message& decoded(std::size_t event, const EventHook& hook);

private:
    google::protobuf::Arena arena_;
    std::vector<RecordedEvent> events_;
    std::vector<google::protobuf::Message*> messages_;
    std::map<std::pair<std::size_t, EventHook::Decode>, google::protobuf::Message*> upcast_;
    std::vector<Move> moves_;
};

}  // namespace recount::projections
