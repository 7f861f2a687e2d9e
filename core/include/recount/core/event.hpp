#pragma once

#include <optional>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include <recount/core/envelope.hpp>

namespace recount {

/// What is known about a recorded event besides its payload: its envelope and where it stands.
struct Recorded : Envelope {
    Position position;
};

/// An event as a store or topic gives it.
struct RecordedEvent {
    Recorded at;
    Hash hash;                           // of this event in its partition's chain
    std::string envelope;                // the bytes as hashed
    std::string salt;                    // empty when erased
    std::optional<std::string> payload;  // nothing: erased; position, type and version remain
    bool withheld = false;               // no payload because a topic left it out, not erased

    [[nodiscard]] bool erased() const { return !payload.has_value(); }
};

/// One page of a stream, and how many events the stream had when it was read.
struct StreamPage {
    std::vector<RecordedEvent> events;
    Version head;      // 0: no such stream
    bool end = false;  // nothing more in this direction
};

/// An event that is to be recorded.
struct NewEvent {
    std::string type;     // the protobuf message's full name
    std::string payload;  // its bytes
    std::string encoding = "plain";
};

/// Serialises a message as it will be stored; map fields in order of key. Throws InvalidArgument
/// above the size limit of a message.
NewEvent new_event(const google::protobuf::Message& message);

/// Reads the payload as `message`. Throws UnreadableEvent when the type differs, the bytes are not
/// such a message, nesting exceeds 32, or the payload was erased.
void parse_payload(const RecordedEvent& event, google::protobuf::Message& message);

template <class Message>
Message parse_as(const RecordedEvent& event) {
    Message message;
    parse_payload(event, message);
    return message;
}

}  // namespace recount
