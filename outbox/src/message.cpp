#include <recount/outbox/message.hpp>

#include <algorithm>
#include <utility>

#include <google/protobuf/descriptor.h>

#include <recount/core/error.hpp>

namespace recount {
namespace {

/// Kafka's varint: zig-zag, seven bits a byte, the low ones first.
void add_varint(std::string& bytes, std::int32_t value) {
    auto rest = (static_cast<std::uint32_t>(value) << 1U) ^ static_cast<std::uint32_t>(value >> 31);
    constexpr std::uint32_t more = 0x80;
    for (; rest >= more; rest >>= 7U) bytes += static_cast<char>((rest & 0x7fU) | more);
    bytes += static_cast<char>(rest);
}

}  // namespace

Message::Message(std::string_view its_key, const google::protobuf::Message& message)
    : key(its_key) {
    NewEvent event = new_event(message);
    if (key.empty()) {
        throw InvalidArgument("a message of type " + event.type +
                              " has no key; give it one that names what it is about");
    }
    type = std::move(event.type);
    value = std::move(event.payload);
    for (const auto* at = message.GetDescriptor(); at != nullptr; at = at->containing_type()) {
        type_path.push_back(at->index());
    }
    std::reverse(type_path.begin(), type_path.end());
}

MessageMapping debezium_events(std::string category) {
    const auto publish = [category](const RecordedEvent& event) {
        std::vector<Message> made;
        if (event.at.stream.category() != category || event.erased()) return made;
        Message& message = made.emplace_back();
        message.key = event.at.stream.id();
        message.type = event.at.type;
        message.value = *event.payload;
        message.id = event.at.event_id;
        message.headers.emplace_back("id", to_string(event.at.event_id));
        if (event.at.encoding != "plain") message.content_type = "application/octet-stream";
        return made;
    };
    return {"outbox." + category, publish};
}

std::string confluent_frame(std::int32_t schema_id, const std::vector<int>& type_path,
                            std::string_view bytes) {
    if (type_path.empty()) {
        throw InvalidArgument(
            "a framed message says where its type stands in its .proto file; "
            "make it from the protobuf message");
    }
    std::string framed(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) {
        framed += static_cast<char>((static_cast<std::uint32_t>(schema_id) >> shift) & 0xffU);
    }
    if (type_path.size() == 1 && type_path.front() == 0) {
        framed += '\0';  // the first message of a file, shortened
    } else {
        add_varint(framed, static_cast<std::int32_t>(type_path.size()));
        for (const int index : type_path) add_varint(framed, index);
    }
    return framed.append(bytes);
}

}  // namespace recount
