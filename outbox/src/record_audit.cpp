#include "record_audit.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "hex.hpp"

namespace recount {
namespace {

using Found = std::vector<kafka::Header>;

Found headers_of(const kafka::Record& record) {
    Found found;
    record.each_header([&](std::string_view name, std::string_view value) {
        found.push_back({name, value});
    });
    return found;
}

const kafka::Header* find(const Found& headers, std::string_view name) {
    const auto found =
        std::find_if(headers.begin(), headers.end(),
                     [&](const kafka::Header& header) { return header.name == name; });
    return found == headers.end() ? nullptr : &*found;
}

std::string text_of(const Found& headers, std::string_view name) {
    const auto* header = find(headers, name);
    return header == nullptr ? std::string{} : std::string{header->value};
}

std::string bytes(std::optional<std::string_view> value) {
    return value ? std::to_string(value->size()) + " bytes" : std::string{"null"};
}

/// The event as it was when its record was sent: the relay had the payload then.
std::optional<RecordedEvent> before_erasure(const kafka::Record& record, const Found& headers,
                                            const RecordedEvent& event) {
    const std::string withheld = text_of(headers, "recount-withheld");
    if (!event.erased() || withheld == "erased") return std::nullopt;
    RecordedEvent then = event;
    then.payload.emplace();
    if (withheld == "category") return then;
    if (!record.value() || !from_hex(text_of(headers, "recount-salt"), then.salt) ||
        payload_digest(then.salt, *record.value()) != event.at.payload_digest) {
        return std::nullopt;
    }
    then.payload = std::string{*record.value()};
    return then;
}

/// For whoever has to find out which side is wrong.
std::string whose_fault(const kafka::Record& record, const Found& headers,
                        const RecordedEvent& event) {
    if (text_of(headers, "recount-withheld") == "category") {
        return "; its relay withheld it: compare with the categories that this withholds";
    }
    std::string salt;
    if (!record.value() || !from_hex(text_of(headers, "recount-salt"), salt)) return {};
    return payload_digest(salt, *record.value()) == event.at.payload_digest
               ? "; the topic's fits the digest in the envelope"
               : "; the topic's does not fit the digest in the envelope";
}

std::optional<RecordDifference> compare_headers(const Found& found,
                                                std::span<const kafka::Header> expected) {
    for (const auto& header : expected) {
        const auto* there = find(found, header.name);
        if (there != nullptr && there->value == header.value) continue;
        return RecordDifference{"header " + std::string{header.name},
                                there == nullptr ? "it is missing" : "it has another value"};
    }
    for (std::size_t index = 0; index < found.size(); ++index) {
        if (index < expected.size() && found[index].name == expected[index].name) continue;
        return RecordDifference{"header " + std::string{found[index].name},
                                "it is not expected there"};
    }
    return std::nullopt;
}

std::optional<RecordDifference> compare(const kafka::Record& record, const Found& headers,
                                        const RecordedEvent& event,
                                        const kafka::Message& expected) {
    const std::string hash = text_of(headers, "recount-hash");
    if (hash != to_string(event.hash)) {
        return RecordDifference{"hash", "expected " + to_string(event.hash) + ", found " + hash};
    }
    const auto* envelope = find(headers, "recount-envelope");
    if (envelope == nullptr || envelope->value != event.envelope) {
        return RecordDifference{"envelope", "its bytes are not those that were hashed"};
    }
    if (record.key() != expected.key) {
        return RecordDifference{"stream key", "expected " + std::string{expected.key}};
    }
    if (record.value() != expected.value) {
        return RecordDifference{"payload", "expected " + bytes(expected.value) + ", found " +
                                               bytes(record.value()) +
                                               (record.value() ? " of other content" : "") +
                                               whose_fault(record, headers, event)};
    }
    if (auto header = compare_headers(headers, expected.headers)) return header;
    const auto time = record.time();
    if (time && *time != std::chrono::floor<std::chrono::milliseconds>(expected.time)) {
        return RecordDifference{"time", "expected that of the recording, " +
                                            to_string(event.at.recorded_at) + ", found " +
                                            to_string(*time)};
    }
    return std::nullopt;
}

}  // namespace

RecordAudit audit_record(const kafka::Record& record, const RecordedEvent& event,
                         RecordEncoder& encoder) {
    const Found headers = headers_of(record);
    const auto then = before_erasure(record, headers, event);
    const RecordedEvent& sent = then ? *then : event;
    RecordAudit audit;
    audit.difference = compare(record, headers, sent, encoder.encode(sent));
    audit.unforgotten = then && record.value().has_value();
    return audit;
}

}  // namespace recount
