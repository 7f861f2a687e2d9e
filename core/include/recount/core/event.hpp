#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message.h>

#include <recount/core/envelope.hpp>
#include <recount/core/error.hpp>

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
    Version head;               // 0: no such stream
    bool end = false;           // nothing more in this direction
    bool closed = false;        // the head is the last there will ever be
    std::int64_t erasures = 0;  // how often events were erased before this was read
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

/// The type of the event that closes its stream.
inline constexpr std::string_view stream_closed_type = "recount.v1.StreamClosed";

/// The event that closes the stream it is written to, as the last of its write: nothing more can be
/// appended to it then, whatever is erased. It is an event like any other to readers, projections
/// and topics; a State or view that does not list it is left as it is. `reason` is for people.
NewEvent closing_event(std::string_view reason = {});

/// Reads the payload as `message`. Throws UnreadableEvent when the type differs, the bytes are not
/// such a message, nesting exceeds 32, or the payload was erased.
void parse_payload(const RecordedEvent& event, google::protobuf::Message& message);
/// The same of an event that was stored under another name than the message has now.
void parse_payload(const RecordedEvent& event, google::protobuf::Message& message,
                   std::string_view stored_as);

/// The event's type is none that its reader knows, nor an older one that can be upcast. Keeps what
/// was stored, for whoever can read it by other means.
class UnknownType : public UnreadableEvent {
public:
    /// `advice`: what its reader lacks, and what to do.
    UnknownType(const RecordedEvent& event, const std::string& advice);

    [[nodiscard]] const StreamName& stream() const { return stream_; }
    [[nodiscard]] Version version() const { return version_; }
    [[nodiscard]] const std::string& type() const { return type_; }
    [[nodiscard]] const std::string& payload() const { return payload_; }

private:
    StreamName stream_;
    Version version_;
    std::string type_, payload_;
};

template <class Message>
Message parse_as(const RecordedEvent& event) {
    Message message;
    parse_payload(event, message);
    return message;
}

}  // namespace recount
