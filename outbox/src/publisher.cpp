#include "publisher.hpp"

#include <utility>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>

namespace recount {

std::int64_t record_bytes(const RelayOptions& options, const EventStore& store) {
    return options.record_bytes ? *options.record_bytes : largest_record(store.limits());
}

Publisher::Publisher(EventStore& store, const RelayOptions& options, std::vector<Cursor> cursors)
    : Publisher(store, options, std::move(cursors), store.incarnations()) {}

Publisher::Publisher(EventStore& store, const RelayOptions& options, std::vector<Cursor> cursors,
                     const std::vector<Incarnation>& incarnations)
    : Publishing(store, kafka::client_settings(options.topic), incarnations,
                 options.topic.log(incarnations.size() - 1),
                 {.linger = options.linger, .record_bytes = record_bytes(options, store)},
                 "the store's "),
      options_(options),
      encoder_(source_of(store.identity().id, options.source), incarnations_.back().id,
               options.withhold) {
    cursors.resize(static_cast<std::size_t>(store.identity().partitions));
    const auto tails = read_tails(reader_, cursors, store_.environment(), options_.broker_timeout);
    const auto heads = store_.heads();  // read last: the topic cannot be ahead of these
    for (std::size_t index = 0; index < tails.size(); ++index) {
        const Partition partition{static_cast<std::int32_t>(index)};
        add_lane(partition, start_behind(partition, cursors[index], tails[index], heads.at(index)));
        add_end(tails[index].last_offset);
    }
    refresh_heads();
}

Cursor Publisher::start_behind(Partition partition, const Cursor& cursor, const TopicTail& tail,
                               const LogHead& head) {
    const Position end{partition, tail.n};
    const char* declared = incarnations_.size() < 2
                               ? ""
                               : "; when it was declared already, a history that is gone had the "
                                 "topic's name before: declare it once more for the next name";
    if (tail.n > head.n) {
        throw Divergence("topic " + topic() + " holds position " + to_string(end) + ", but store " +
                         store_.identity().name + " ends at " +
                         to_string(Position{partition, head.n}) +
                         ": it was restored to an earlier state; declare the restore, and the "
                         "relay begins a new topic" +
                         declared);
    }
    const Hash hash = hash_at(end, head);
    if (tail.hash && *tail.hash != hash) {
        throw Divergence("topic " + topic() + " and store " + store_.identity().name +
                         " differ at position " + to_string(end) + ": " + to_string(*tail.hash) +
                         " there, " + to_string(hash) +
                         " here; another store writes to this topic, or a restore was not "
                         "declared" +
                         declared);
    }
    if (tail.n < cursor.n || tail.hole_at > 0) {
        spdlog::warn(
            "topic {} partition {}: events behind {} are missing, confirmed was {}; they "
            "are sent again from there",
            topic(), partition.value, tail.n, cursor.n);
    }
    return {tail.n, hash};
}

std::span<const kafka::Message> Publisher::encode(const RecordedEvent& event) {
    record_ = encoder_.encode(event);
    return {&record_, 1};
}

void Publisher::beat(const std::vector<LogHead>& heads, Timestamp at) {
    Beat beat;
    beat.identity = store_.identity();
    beat.at = at;
    beat.log = topic();
    beat.heads = heads;
    beat.incarnations = incarnations_;
    learn_heads(heads);
    for (const auto& cursor : confirmed()) beat.published.push_back(cursor.n);
    const std::string key = to_string(beat.identity.id);
    const std::string json = recount::encode(beat);
    const std::vector<kafka::Header> headers{{"content-type", "application/json"}};
    kafka::Message message;
    message.key = key;
    message.value = json;
    message.headers = headers;
    message.time = beat.at;
    produce_unless_pending(options_.topic.heads(), message);  // another follows in a second
}

}  // namespace recount
