#pragma once

#include <vector>

#include <recount/outbox/message_relay.hpp>

#include "message_record.hpp"
#include "publishing.hpp"

namespace recount {

/// Publishes messages: goes on behind the cursors, which alone say how far the topic is.
class MessagePublisher : public Publishing {
public:
    /// Compares store and topic with what is remembered of them. Throws Divergence, Mismatch,
    /// Unavailable. Mapping and options outlive it.
    MessagePublisher(EventStore& store, const MessageMapping& mapping,
                     const MessageRelayOptions& options, Progress saved);

    [[nodiscard]] Progress progress() const override {
        return {confirmed(), last_offsets(), last_messages()};
    }

private:
    std::span<const kafka::Message> encode(const RecordedEvent& event) override;
    std::int32_t partition_count();
    std::int32_t look_at_topic(Progress& saved);
    void require_ends(const std::vector<std::int64_t>& known,
                      const std::vector<std::int64_t>& highs) const;
    void require_messages(const std::vector<LastMessage>& known);
    Cursor start_behind(Partition partition, const Cursor& cursor, const LogHead& head);

    const MessageRelayOptions& options_;
    std::int32_t partitions_;  // of the topic
    MessageEncoder encoder_;
};

}  // namespace recount
