#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recount/outbox/message_relay.hpp>

#include "kafka/producer.hpp"

namespace recount {

/// The header that names the event of which a message is, by its id.
inline constexpr std::string_view event_header = "ce_causationid";

/// Makes records from the messages of an event. One thread at a time: it keeps what it made.
class MessageEncoder {
public:
    /// `partitions` of the topic. Mapping and options outlive it.
    MessageEncoder(const MessageMapping& mapping, const MessageRelayOptions& options,
                   const StoreIdentity& store, std::int32_t partitions);

    /// Views into this object, valid until the next call. Throws UnreadableEvent that names the
    /// event when the mapping failed.
    std::span<const kafka::Message> encode(const RecordedEvent& event);

private:
    struct Made {
        Message message;
        std::vector<kafka::Header> headers;
        std::deque<std::string> values;  // which the headers view; they stay where they are
    };
    void make(const RecordedEvent& event, Made& made, std::size_t index, std::size_t count) const;

    const MessageMapping& mapping_;
    const MessageRelayOptions& options_;
    std::string source_;
    std::string incarnation_;
    std::int32_t partitions_;
    std::deque<Made> made_;
    std::vector<kafka::Message> records_;
};

}  // namespace recount
