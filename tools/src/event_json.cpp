#include "event_json.hpp"

#include <openssl/evp.h>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>

namespace recount::tools {

namespace pb = google::protobuf;

struct EventPrinter::Schema {
    pb::DescriptorPool pool;
    pb::DynamicMessageFactory factory{&pool};
    const pb::Descriptor* descriptor = nullptr;
};

std::string one_line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

EventPrinter::EventPrinter(EventStore& store) : store_(store) {}
EventPrinter::~EventPrinter() = default;

namespace {

std::string base64(const std::string& bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3), '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                    reinterpret_cast<const unsigned char*>(bytes.data()),
                    static_cast<int>(bytes.size()));
    return text;
}

}  // namespace

EventPrinter::Schema* EventPrinter::schema_of(const std::string& type, std::uint32_t revision) {
    const auto key = std::pair{type, revision};
    if (const auto found = schemas_.find(key); found != schemas_.end()) return found->second.get();
    auto schema = std::make_unique<Schema>();
    pb::FileDescriptorSet files;
    const auto bytes = store_.schema(type, revision);
    if (bytes && files.ParseFromString(*bytes)) {
        for (const pb::FileDescriptorProto& file : files.file()) schema->pool.BuildFile(file);
        schema->descriptor = schema->pool.FindMessageTypeByName(type);
    }
    return schemas_.emplace(key, std::move(schema)).first->second.get();
}

Json EventPrinter::payload_json(const RecordedEvent& event) {
    Schema* schema = schema_of(event.at.type, event.at.schema_revision);
    if (schema->descriptor != nullptr && event.at.encoding == "plain") {
        const std::unique_ptr<pb::Message> message{
            schema->factory.GetPrototype(schema->descriptor)->New()};
        std::string text;
        pb::util::JsonPrintOptions options;
        options.preserve_proto_field_names = true;
        if (message->ParseFromString(*event.payload) &&
            pb::util::MessageToJsonString(*message, &text, options).ok()) {
            return Json::parse(text);
        }
    }
    return Json{{"base64", base64(*event.payload)}};
}

Json EventPrinter::json(const RecordedEvent& event) {
    const Recorded& at = event.at;
    Json json;
    json["partition"] = at.position.partition.value;
    json["position"] = at.position.n;
    json["stream"] = at.stream.full();
    json["version"] = at.version.value;
    json["type"] = at.type;
    json["revision"] = at.schema_revision;
    json["event_id"] = to_string(at.event_id);
    json["occurred_at"] = to_string(at.occurred_at);
    json["recorded_at"] = to_string(at.recorded_at);
    json["command_id"] = at.append_id;
    json["index"] = at.append_index;
    json["count"] = at.append_count;
    if (!at.correlation_id.empty()) json["correlation_id"] = at.correlation_id;
    if (!at.causation_id.empty()) json["causation_id"] = at.causation_id;
    if (!at.traceparent.empty()) json["traceparent"] = at.traceparent;
    if (!at.headers.empty()) json["headers"] = at.headers;
    json["hash"] = to_string(event.hash);
    if (event.erased()) {
        json["erased"] = true;
    } else {
        json["payload"] = payload_json(event);
    }
    return json;
}

std::string EventPrinter::line(const RecordedEvent& event) {
    const Recorded& at = event.at;
    return to_string(at.position) + "  " + to_string(at.recorded_at) + "  " + at.stream.full() +
           "@" + std::to_string(at.version.value) + "  " + at.type + "  " +
           (event.erased() ? "(erased)" : one_line(payload_json(event)));
}

}  // namespace recount::tools
