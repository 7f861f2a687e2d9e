#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <recount/eventstore/event_store.hpp>

namespace recount::tools {

using Json = nlohmann::ordered_json;

/// As one line of text. Bytes that are not UTF-8, as of a file's name, become U+FFFD.
std::string one_line(const Json& json);

/// Turns events into JSON with the descriptors that the store keeps, so that any program can print
/// any event. A payload of an unknown type is given as base64. One thread at a time.
class EventPrinter {
public:
    explicit EventPrinter(EventStore& store);
    ~EventPrinter();

    Json json(const RecordedEvent& event);
    /// One line for people: position, time, stream@version, type, payload.
    std::string line(const RecordedEvent& event);

private:
    struct Schema;
    Schema* schema_of(const std::string& type, std::uint32_t revision);
    Json payload_json(const RecordedEvent& event);

    EventStore& store_;
    std::map<std::pair<std::string, std::uint32_t>, std::unique_ptr<Schema>> schemas_;
};

}  // namespace recount::tools
