#include "message_publisher.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>

namespace recount {
namespace {

constexpr auto gone =
    "confirmed messages are gone; publish to a topic of another name, which gets all of them, or "
    "stop the relay and make the topic anew, empty, which is filled from the beginning";

/// The id of the event that a message came of.
std::string event_of(const kafka::Record& record) {
    for (kafka::Headers headers{record}; headers.next();) {
        if (std::string_view{headers.name()} == event_header) return std::string{headers.value()};
    }
    return {};
}

}  // namespace

MessagePublisher::MessagePublisher(EventStore& store, const MessageMapping& mapping,
                                   const MessageRelayOptions& options, Progress saved)
    : Publishing(store, kafka::client_settings(options.topic), store.incarnations(),
                 options.topic.name,
                 {.linger = options.linger, .record_bytes = options.record_bytes}, ""),
      options_(options),
      partitions_(look_at_topic(saved)),
      encoder_(mapping, options, store.identity(), partitions_) {
    const bool from_head = options.from_head && saved.last_offsets.empty();
    const auto heads = store.heads();
    for (std::size_t index = 0; index < heads.size(); ++index) {
        const Partition partition{static_cast<std::int32_t>(index)};
        if (from_head) saved.cursors.at(index) = {heads[index].n, heads[index].hash};
        add_lane(partition, start_behind(partition, saved.cursors.at(index), heads[index]));
    }
    learn_heads(heads);
}

std::int32_t MessagePublisher::partition_count() {
    try {
        return reader_.partitions(options_.broker_timeout);
    } catch (const Mismatch& error) {
        throw Unavailable(error.what());  // it was there a moment ago
    }
}

/// Nobody else remembers what was in the topic: what is gone from it must not pass unnoticed.
std::int32_t MessagePublisher::look_at_topic(Progress& saved) {
    const std::int32_t count = partition_count();
    std::vector<std::int64_t> highs;
    for (std::int32_t number = 0; number < count; ++number) {
        highs.push_back(reader_.watermarks(number, options_.broker_timeout).high);
    }
    const auto& known = saved.last_offsets;
    if (std::any_of(known.begin(), known.end(), [](std::int64_t offset) { return offset >= 0; })) {
        if (std::any_of(highs.begin(), highs.end(), [](std::int64_t high) { return high > 0; })) {
            require_ends(known, highs);
            require_messages(saved.last_messages);
        } else {
            spdlog::warn("topic {} is empty, though messages were confirmed: all are sent again",
                         topic());
            saved.cursors.assign(saved.cursors.size(), Cursor{});
            saved.last_messages.clear();
        }
    }
    saved.last_messages.resize(highs.size());
    for (std::size_t index = 0; index < highs.size(); ++index) {
        add_end(highs[index] - 1, saved.last_messages[index]);
    }
    return count;
}

void MessagePublisher::require_ends(const std::vector<std::int64_t>& known,
                                    const std::vector<std::int64_t>& highs) const {
    if (known.size() != highs.size()) {
        throw Mismatch("topic " + topic() + " has " + std::to_string(highs.size()) +
                       " partitions, expected " + std::to_string(known.size()) +
                       ": messages of a key would no longer be in one; publish to a topic of "
                       "another name, which gets all of them");
    }
    for (std::size_t index = 0; index < highs.size(); ++index) {
        if (highs[index] > known[index]) continue;
        throw Mismatch("topic " + topic() + " partition " + std::to_string(index) +
                       " ends at offset " + std::to_string(highs[index]) + ", expected behind " +
                       std::to_string(known[index]) + ": " + gone);
    }
}

/// A partition that is long enough may be that of another topic of this name, made while messages
/// were on their way to it. What retention or compaction took tells nothing.
void MessagePublisher::require_messages(const std::vector<LastMessage>& known) {
    for (std::size_t index = 0; index < known.size(); ++index) {
        if (known[index].offset < 0) continue;
        const auto number = static_cast<std::int32_t>(index);
        const auto record = reader_.record_at(number, known[index].offset, options_.broker_timeout);
        if (!record || event_of(*record) == to_string(known[index].event_id)) continue;
        throw Mismatch("topic " + topic() + " partition " + std::to_string(index) +
                       " holds another record at offset " + std::to_string(known[index].offset) +
                       " than the message of event " + to_string(known[index].event_id) +
                       " that was confirmed there: " + gone);
    }
}

/// Behind the cursor; after a declared restore behind the last event that the histories share.
Cursor MessagePublisher::start_behind(Partition partition, const Cursor& cursor,
                                      const LogHead& head) {
    const Position saved{partition, cursor.n};
    if (cursor.n == 0) return {0, hash_at(saved, head)};
    if (cursor.n <= head.n && hash_at(saved, head) == cursor.hash) return cursor;
    std::int64_t shared = cursor.n;
    for (const auto& incarnation : incarnations_) {
        if (!incarnation.parent) continue;  // the first one shares with none
        const auto& fork = incarnation.forks.at(static_cast<std::size_t>(partition.value));
        shared = std::min(shared, fork.n);
    }
    if (shared == cursor.n) {
        throw Divergence("topic " + topic() + " got the messages up to position " +
                         to_string(saved) + " of another history than that of store " +
                         store_.identity().name + ", which ends at " +
                         to_string(Position{partition, head.n}) +
                         ": it was restored to an earlier state; declare the restore, and the "
                         "relay goes on behind it");
    }
    spdlog::warn("topic {}: the store was restored; its messages go on behind position {}", topic(),
                 to_string(Position{partition, shared}));
    return {shared, hash_at({partition, shared}, head)};
}

std::span<const kafka::Message> MessagePublisher::encode(const RecordedEvent& event) {
    return encoder_.encode(event);
}

}  // namespace recount
