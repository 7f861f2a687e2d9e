#pragma once

#include <string>
#include <vector>

#include <recount/eventstore/event_store.hpp>
#include <recount/outbox/relay.hpp>

#include "beat.hpp"
#include "publishing.hpp"
#include "record.hpp"
#include "topic_tail.hpp"

namespace recount {

/// How large a record of this store may become.
std::int64_t record_bytes(const RelayOptions& options, const EventStore& store);

/// Publishes the log itself: finds the end of each topic partition, then sends what follows.
class Publisher : public Publishing {
public:
    /// Compares the ends of the topic's partitions with the store; the topic was checked before.
    /// Throws Divergence, Unavailable.
    Publisher(EventStore& store, const RelayOptions& options, std::vector<Cursor> cursors);

    /// Sends what the store says about itself, and how far the topic is.
    void beat(const std::vector<LogHead>& heads, Timestamp at) override;

private:
    Publisher(EventStore& store, const RelayOptions& options, std::vector<Cursor> cursors,
              const std::vector<Incarnation>& incarnations);
    std::span<const kafka::Message> encode(const RecordedEvent& event) override;
    Cursor start_behind(Partition partition, const Cursor& cursor, const TopicTail& tail,
                        const LogHead& head);

    const RelayOptions& options_;
    RecordEncoder encoder_;
    kafka::Message record_;
};

}  // namespace recount
