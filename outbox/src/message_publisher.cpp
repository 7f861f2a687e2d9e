#include "message_publisher.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>

namespace recount {

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

/// Nobody else remembers what was in the topic: what is gone from it must not pass unnoticed.
std::int32_t MessagePublisher::look_at_topic(Progress& saved) {
    const std::int32_t count = reader_.partitions(options_.broker_timeout);
    std::vector<std::int64_t> highs;
    for (std::int32_t number = 0; number < count; ++number) {
        highs.push_back(reader_.watermarks(number, options_.broker_timeout).high);
        add_end(highs.back() - 1);
    }
    const auto& known = saved.last_offsets;
    const auto has_records = [](std::int64_t offset) { return offset >= 0; };
    if (std::none_of(known.begin(), known.end(), has_records)) return count;
    if (std::all_of(highs.begin(), highs.end(), [](std::int64_t high) { return high == 0; })) {
        spdlog::warn("topic {} is empty, though messages were confirmed: all are sent again",
                     topic());
        saved.cursors.assign(saved.cursors.size(), Cursor{});
        return count;
    }
    if (known.size() != highs.size()) {
        throw Mismatch("topic " + topic() + " has " + std::to_string(count) +
                       " partitions, expected " + std::to_string(known.size()) +
                       ": messages of a key would no longer be in one; publish to a topic of "
                       "another name, which gets all of them");
    }
    for (std::size_t index = 0; index < highs.size(); ++index) {
        if (highs[index] > known[index]) continue;
        throw Mismatch("topic " + topic() + " partition " + std::to_string(index) +
                       " ends at offset " + std::to_string(highs[index]) + ", expected behind " +
                       std::to_string(known[index]) +
                       ": confirmed messages are gone; publish to a topic of another name, which "
                       "gets all of them");
    }
    return count;
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
