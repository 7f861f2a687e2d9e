#include "record.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <recount/core/error.hpp>

#include "hex.hpp"

namespace recount {
namespace {

constexpr std::size_t made_headers = 12;  // more than one record ever has; see RecordEncoder::made
constexpr std::size_t most_headers = 24;

std::string_view content_type(const Envelope& envelope) {
    return envelope.encoding == "plain" ? "application/protobuf" : "application/octet-stream";
}

std::optional<Position> parse_position(std::string_view text) {
    Position position;
    const char* end = text.data() + text.size();
    const auto partition = std::from_chars(text.data(), end, position.partition.value);
    if (partition.ec != std::errc{} || partition.ptr == end || *partition.ptr != ':') {
        return std::nullopt;
    }
    const auto number = std::from_chars(partition.ptr + 1, end, position.n);
    if (number.ec != std::errc{} || number.ptr != end || position.n < 1) return std::nullopt;
    return position;
}

/// The headers that matter to a reader of ours.
struct Parts {
    std::string_view envelope, position, hash, salt, incarnation, withheld;
    bool has_envelope = false;
};

Parts parts_of(const kafka::Record& record) {
    Parts parts;
    for (kafka::Headers header{record}; header.next();) {
        if (*header.name() != 'r') continue;  // most are CloudEvents'
        std::string_view name = header.name();
        if (!name.starts_with("recount-")) continue;
        name.remove_prefix(std::string_view{"recount-"}.size());
        const std::string_view value = header.value();
        if (name == "envelope") {
            parts.envelope = value;
            parts.has_envelope = true;
        } else if (name == "position") {
            parts.position = value;
        } else if (name == "hash") {
            parts.hash = value;
        } else if (name == "salt") {
            parts.salt = value;
        } else if (name == "incarnation") {
            parts.incarnation = value;
        } else if (name == "withheld") {
            parts.withheld = value;
        }
    }
    return parts;
}

}  // namespace

std::string source_of(const Uuid& store, const std::string& chosen) {
    constexpr std::size_t most = 1024;  // see largest_record()
    if (chosen.size() > most) {
        throw InvalidArgument("a relay's source of " + std::to_string(chosen.size()) +
                              " bytes goes into every record; give at most " +
                              std::to_string(most));
    }
    return chosen.empty() ? "urn:uuid:" + to_string(store) : chosen;
}

RecordEncoder::RecordEncoder(std::string source, Uuid incarnation,
                             std::vector<std::string> withhold)
    : source_(std::move(source)),
      incarnation_(to_string(incarnation)),
      withhold_(std::move(withhold)) {
    headers_.reserve(most_headers);
    values_.reserve(made_headers);  // views into it stay valid
}

Withheld RecordEncoder::withheld(const RecordedEvent& event) const {
    if (event.erased()) return Withheld::erased;
    const auto category = event.at.stream.category();
    return std::find(withhold_.begin(), withhold_.end(), category) == withhold_.end()
               ? Withheld::no
               : Withheld::category;
}

void RecordEncoder::made(std::string_view name, std::string value) {
    values_.push_back(std::move(value));
    headers_.push_back({name, values_.back()});
}

void RecordEncoder::attributes(const Envelope& envelope) {
    headers_.push_back({"ce_specversion", "1.0"});
    made("ce_id", to_string(envelope.event_id));
    headers_.push_back({"ce_source", source_});
    headers_.push_back({"ce_type", envelope.type});
    headers_.push_back({"ce_subject", envelope.stream.full()});
    made("ce_time", to_string(envelope.occurred_at));
    made("ce_recordedtime", to_string(envelope.recorded_at));
    headers_.push_back({"ce_partitionkey", envelope.stream.full()});
    made("ce_streamversion", std::to_string(envelope.version.value));
    made("ce_schemarevision", std::to_string(envelope.schema_revision));
    if (!envelope.correlation_id.empty()) {
        headers_.push_back({"ce_correlationid", envelope.correlation_id});
    }
    if (!envelope.causation_id.empty()) {
        headers_.push_back({"ce_causationid", envelope.causation_id});
    }
    if (!envelope.traceparent.empty()) {
        headers_.push_back({"ce_traceparent", envelope.traceparent});
        headers_.push_back({"traceparent", envelope.traceparent});
    }
}

kafka::Message RecordEncoder::encode(const RecordedEvent& event) {
    headers_.clear();
    values_.clear();
    const Withheld why = withheld(event);
    attributes(event.at);
    if (why == Withheld::no) headers_.push_back({"content-type", content_type(event.at)});
    headers_.push_back({"recount-envelope", event.envelope});
    made("recount-position", to_string(event.at.position));
    made("recount-hash", to_string(event.hash));
    headers_.push_back({"recount-incarnation", incarnation_});
    // Without the payload the salt proves nothing, and would help to guess a short one.
    if (why == Withheld::no) made("recount-salt", to_hex(event.salt));
    if (why == Withheld::category) headers_.push_back({"recount-withheld", "category"});
    if (why == Withheld::erased) headers_.push_back({"recount-withheld", "erased"});

    kafka::Message message;
    message.partition = event.at.position.partition.value;
    message.key = event.at.stream.full();
    if (why == Withheld::no) message.value = *event.payload;
    message.headers = headers_;
    message.time = event.at.recorded_at;
    return message;
}

std::optional<RecordPlace> place_of(const kafka::Record& record) {
    const Parts parts = parts_of(record);
    const auto position = parse_position(parts.position);
    const auto hash = parse_hash(parts.hash);
    if (!position || !hash || !parts.has_envelope ||
        position->partition.value != record.partition()) {
        return std::nullopt;
    }
    return RecordPlace{*position, *hash};
}

namespace {

/// `known` is an incarnation that could be read, and becomes this record's.
bool decode(const kafka::Record& record, const Parts& parts, std::string& known,
            RecordedEvent& event, std::string& why) {
    const auto position = parse_position(parts.position);
    const auto hash = parse_hash(parts.hash);
    const bool same = !known.empty() && parts.incarnation == known;
    if (!parts.has_envelope || !position || !hash || (!same && !parse_uuid(parts.incarnation))) {
        why = "no readable recount-envelope, -position, -hash and -incarnation headers";
        return false;
    }
    if (position->partition.value != record.partition()) {
        why = "its position " + to_string(*position) + " belongs to another partition";
        return false;
    }
    if (!same) known = parts.incarnation;
    event.envelope = parts.envelope;
    try {
        decode_envelope(event.envelope, event.at);
    } catch (const UnreadableEvent& error) {
        why = error.what();
        return false;
    }
    event.at.position = *position;
    event.hash = *hash;
    if (!parts.withheld.empty()) {
        event.withheld = parts.withheld != "erased";
        return true;
    }
    const auto payload = record.value();
    if (!payload || !from_hex(parts.salt, event.salt)) {
        why = "neither a payload with its salt nor a recount-withheld header";
        return false;
    }
    event.payload.emplace(*payload);
    return true;
}

}  // namespace

bool RecordDecoder::decode(const kafka::Record& record, RecordedEvent& event, std::string& why) {
    return recount::decode(record, parts_of(record), incarnation_, event, why);
}

std::optional<LogRecord> decode_record(const kafka::Record& record, std::string& why) {
    const Parts parts = parts_of(record);
    LogRecord found;
    std::string incarnation;
    if (!decode(record, parts, incarnation, found.event, why)) return std::nullopt;
    found.incarnation = *parse_uuid(parts.incarnation);
    if (!parts.withheld.empty()) {
        found.withheld = found.event.withheld ? Withheld::category : Withheld::erased;
    }
    return found;
}

}  // namespace recount
