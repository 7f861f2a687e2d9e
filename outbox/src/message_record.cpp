#include "message_record.hpp"

#include <utility>

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include "record.hpp"

namespace recount {
namespace {

Uuid id_of(const Message& message, const std::string& mapping, const RecordedEvent& event,
           std::size_t index) {
    if (message.id) return *message.id;
    return derived_uuid("recount/message/1",
                        mapping + "/" + to_string(event.at.event_id) + "/" + std::to_string(index));
}

}  // namespace

MessageEncoder::MessageEncoder(const MessageMapping& mapping, const MessageRelayOptions& options,
                               const StoreIdentity& store, std::int32_t partitions)
    : mapping_(mapping),
      options_(options),
      source_(source_of(store.id, options.source)),
      incarnation_(to_string(store.incarnation)),
      partitions_(partitions) {}

void MessageEncoder::make(const RecordedEvent& event, Made& made, std::size_t index,
                          std::size_t count) const {
    Message& message = made.message;
    const Recorded& at = event.at;
    const auto add = [&](std::string_view name, std::string value) {
        made.headers.push_back({name, made.values.emplace_back(std::move(value))});
    };
    if (message.key.empty()) throw InvalidArgument("a message has no key; give it one");
    if (options_.schema_id) {
        message.value =
            confluent_frame(options_.schema_id(message.type), message.type_path, message.value);
        message.content_type = "application/octet-stream";
    }
    add("ce_specversion", "1.0");
    add("ce_id", to_string(id_of(message, mapping_.name, event, index)));
    add("ce_source", source_);
    add("ce_type", message.type);
    add("ce_subject", at.stream.full());
    add("ce_time", to_string(at.occurred_at));
    add("ce_partitionkey", message.key);
    if (!at.correlation_id.empty()) add("ce_correlationid", at.correlation_id);
    add(event_header, to_string(at.event_id));
    if (!at.traceparent.empty()) {
        add("ce_traceparent", at.traceparent);
        add("traceparent", at.traceparent);
    }
    add("content-type", message.content_type);
    add("recount-position", to_string(at.position));
    add("recount-message", std::to_string(index + 1) + "/" + std::to_string(count));
    add("recount-incarnation", incarnation_);
    for (const auto& [name, value] : message.headers) made.headers.push_back({name, value});
}

std::span<const kafka::Message> MessageEncoder::encode(const RecordedEvent& event) {
    made_.clear();
    records_.clear();
    try {
        auto messages = mapping_.publish(event);
        for (std::size_t index = 0; index < messages.size(); ++index) {
            Made& made = made_.emplace_back();
            made.message = std::move(messages[index]);
            make(event, made, index, messages.size());
        }
    } catch (const std::exception& error) {
        throw UnreadableEvent("mapping " + mapping_.name + " failed at position " +
                              to_string(event.at.position) + ", a " + event.at.type + ": " +
                              error.what() + "; mend the mapping and start the relay again");
    }
    for (const Made& made : made_) {
        kafka::Message& record = records_.emplace_back();
        record.partition = partition_of(made.message.key, partitions_).value;
        record.key = made.message.key;
        record.value = made.message.value;
        record.headers = made.headers;
        record.time = event.at.recorded_at;
    }
    return records_;
}

}  // namespace recount
