#include <recount/core/event.hpp>

#include <recount/core/error.hpp>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <limits>
#include <memory>

#include "recount/stream.pb.h"
#include "serialise.hpp"

namespace recount {
namespace {

constexpr int deepest = 32;

bool parse(std::string_view bytes, google::protobuf::Message& message) {
    google::protobuf::io::CodedInputStream in{reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                              static_cast<int>(bytes.size())};
    in.SetRecursionLimit(deepest);
    return message.ParseFromCodedStream(&in) && in.ConsumedEntireMessage();
}

std::string where(const RecordedEvent& event) {
    return "event " + std::to_string(event.at.version.value) + " of stream " +
           event.at.stream.full() + " at position " + to_string(event.at.position);
}

}  // namespace

std::string serialise(const google::protobuf::Message& message) {
    const std::string& type = message.GetDescriptor()->full_name();
    if (!message.IsInitialized()) {
        throw InvalidArgument(type +
                              " lacks required fields: " + message.InitializationErrorString());
    }
    const std::size_t size = message.ByteSizeLong();
    if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw InvalidArgument(type + " has " + std::to_string(size) +
                              " bytes, more than a protobuf message can; split it");
    }
    std::string bytes(size, '\0');
    google::protobuf::io::ArrayOutputStream array{bytes.data(), static_cast<int>(size)};
    google::protobuf::io::CodedOutputStream out{&array};
    out.SetSerializationDeterministic(true);
    message.SerializeWithCachedSizes(&out);
    out.Trim();
    return bytes;
}

NewEvent new_event(const google::protobuf::Message& message) {
    NewEvent event{message.GetDescriptor()->full_name(), serialise(message)};
    // An event is kept for ever. One that nobody could read again (text that is not UTF-8, nesting
    // beyond the limit) would poison its stream, so it is found out while it is still an argument.
    const std::unique_ptr<google::protobuf::Message> again{message.New()};
    if (!parse(event.payload, *again)) {
        throw InvalidArgument(event.type +
                              " could not be read back: a string is not UTF-8, or messages are "
                              "nested deeper than " +
                              std::to_string(deepest) + "; correct the event before recording it");
    }
    return event;
}

NewEvent closing_event(std::string_view reason) {
    v1::StreamClosed closed;
    closed.set_reason(std::string{reason});
    return new_event(closed);
}

UnknownType::UnknownType(const RecordedEvent& event, const std::string& advice)
    : UnreadableEvent(where(event) + " is a " + event.at.type + ", " + advice),
      stream_(event.at.stream),
      version_(event.at.version),
      type_(event.at.type),
      payload_(event.payload.value_or("")) {}

void parse_payload(const RecordedEvent& event, google::protobuf::Message& message) {
    parse_payload(event, message, message.GetDescriptor()->full_name());
}

void parse_payload(const RecordedEvent& event, google::protobuf::Message& message,
                   std::string_view stored_as) {
    const auto refuse = [&](const std::string& how, const std::string& advice) {
        throw UnreadableEvent(where(event) + how + std::string{stored_as} + advice);
    };
    if (event.erased()) refuse(" was erased; ask erased() before reading it as ", "");
    if (event.at.type != stored_as) {
        refuse(" is a " + event.at.type + ", not a ", "; read it as its own type");
    }
    if (event.at.encoding != "plain") {
        refuse(" is " + event.at.encoding + "; unseal it before reading it as ", "");
    }
    const bool fits =
        event.payload->size() <= static_cast<std::size_t>(std::numeric_limits<int>::max());
    if (!fits || !parse(*event.payload, message)) {
        refuse(" does not hold the bytes of a ",
               " nested at most " + std::to_string(deepest) +
                   " deep; check the message's schema against the stored revision " +
                   std::to_string(event.at.schema_revision));
    }
}

}  // namespace recount
