#include "batch.hpp"

#include <recount/core/error.hpp>

namespace recount::projections {

void EventBatch::add(Partition partition, const Checkpoint& from, LogPage page, std::int64_t last,
                     const Uuid& store, const std::vector<Incarnation>& incarnations) {
    ChainCheck chain{partition, from.position, from.hash};
    Checkpoint to = from;
    for (RecordedEvent& event : page.events) {
        const std::int64_t n = event.at.position.n;
        if (n > last) break;
        if (n <= chain.n()) {
            if (n == chain.n() && event.hash != chain.hash()) {
                throw Divergence(
                    "position " + to_string(event.at.position) +
                    " has another hash than when it was applied: the log holds another "
                    "history; find out which is right, then rebuild the view");
            }
            continue;  // a replay
        }
        chain.next(event, store, incarnations);
        to.recorded_at = event.at.recorded_at;
        events_.push_back(std::move(event));
    }
    if (chain.n() == from.position) return;
    to.position = chain.n();
    to.hash = chain.hash();
    to.incarnation = incarnations.back().id;
    // Of a page that goes beyond `last` the place is another event's.
    const bool whole = chain.n() == page.upto;
    moves_.push_back({partition, from, to, whole ? page.place : std::nullopt});
    messages_.resize(events_.size(), nullptr);
}

void EventBatch::add_unchecked(RecordedEvent event) {
    events_.push_back(std::move(event));
    messages_.resize(events_.size(), nullptr);
}

const google::protobuf::Message& EventBatch::decoded(std::size_t event, const EventHook& hook) {
    google::protobuf::Message*& message =
        hook.decode == nullptr ? messages_[event] : upcast_[{event, hook.decode}];
    if (message == nullptr && hook.decode != nullptr) {
        message = hook.decode(events_[event], arena_);
    } else if (message == nullptr) {
        google::protobuf::Message* made = hook.prototype->New(&arena_);
        parse_payload(events_[event], *made);
        message = made;
    }
    return *message;
}

}  // namespace recount::projections
