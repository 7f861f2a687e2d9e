#include <recount/core/append.hpp>
#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>
#include <recount/core/utf8.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "stream_name.hpp"
#include "text.hpp"
#include "wire.hpp"

namespace recount {
namespace {

/// What is refused, as a message begins: "append order-17/place".
struct Subject {
    std::string_view kind, id;
};

Subject subject_of(const Append& append) { return {"append", append.metadata.command_id}; }

[[noreturn]] void refuse(const Subject& subject, const std::string& why) {
    throw InvalidArgument(std::string{subject.kind} + " " + std::string{subject.id} + " " + why);
}

void check_size(const Subject& subject, std::string_view what, std::size_t size, std::size_t most,
                std::string_view advice) {
    if (size <= most) return;
    refuse(subject, "has " + std::string{what} + ": " + std::to_string(size) + ", at most " +
                        std::to_string(most) + "; " + std::string{advice});
}

/// Ids go into several headers of a record on Kafka, which must not outgrow what is left for them.
void check_id(const Subject& subject, std::string_view what, std::string_view id) {
    constexpr std::size_t most = 255;
    if (id.size() <= most) return;
    refuse(subject, "has a " + std::string{what} + " of " + std::to_string(id.size()) +
                        " bytes, at most " + std::to_string(most) +
                        "; put what is longer into a header");
}

/// The message goes without the value, which is the caller's business and may be a secret.
void check_text(const Subject& subject, std::string_view what, std::string_view value) {
    if (text::printable(value)) return;
    refuse(subject, "has a " + std::string{what} +
                        " that is not UTF-8 or holds control characters; encode it");
}

void check_expected(const Subject& subject, const StreamName& stream, const Expected& expected) {
    if (stream.full().empty()) refuse(subject, "names an empty stream; give category and id");
    check_name(stream);  // StreamName::trusted() takes anything
    if (expected.version().value < 0) {
        refuse(subject, "expects stream " + stream.full() + " at " + to_string(expected) +
                            "; versions begin at 1, and 0 means no stream");
    }
}

/// W3C Trace Context: version, trace id, parent id, flags. A later version than 00 may say more
/// behind these.
bool is_traceparent(std::string_view value) {
    constexpr std::size_t length = 55;
    if (value.size() < length || value[2] != '-' || value[35] != '-' || value[52] != '-') {
        return false;
    }
    const auto has_only = [](std::string_view part, std::string_view digits) {
        return part.find_first_not_of(digits) == std::string_view::npos;
    };
    const std::string_view version = value.substr(0, 2), trace = value.substr(3, 32),
                           parent = value.substr(36, 16), flags = value.substr(53, 2);
    for (const std::string_view part : {version, trace, parent, flags}) {
        if (!has_only(part, "0123456789abcdef")) return false;
    }
    if (version == "ff" || has_only(trace, "0") || has_only(parent, "0")) return false;
    return value.size() == length || (version != "00" && value[length] == '-');
}

void check_metadata(const Subject& subject, const CommandMetadata& metadata,
                    const AppendLimits& limits) {
    for (const auto& [what, id] : {std::pair{"correlation id", &metadata.correlation_id},
                                   {"causation id", &metadata.causation_id},
                                   {"traceparent", &metadata.traceparent}}) {
        check_text(subject, what, *id);
        check_id(subject, what, *id);
    }
    if (!metadata.traceparent.empty() && !is_traceparent(metadata.traceparent)) {
        refuse(subject,
               "has a traceparent that is not version-traceid-parentid-flags in lower-case hex, as "
               "W3C's Trace Context has it; pass one on as it came, or leave it empty");
    }
    check_size(subject, "headers", metadata.headers.size(), limits.metadata_entries,
               "send fewer headers");
    std::size_t bytes =
        metadata.correlation_id.size() + metadata.causation_id.size() + metadata.traceparent.size();
    for (const auto& [name, value] : metadata.headers) {
        if (name.empty()) refuse(subject, "has a header without a name; name it");
        check_text(subject, "header name", name);
        check_text(subject, "value in header " + text::quoted(name), value);
        bytes += name.size() + value.size();
    }
    check_size(subject, "bytes of metadata", bytes, limits.metadata_bytes,
               "put large values into the events");
}

void check_after(const Append& append, const AppendLimits& limits) {
    std::size_t bytes = 0;
    for (const StorePositions& seen : append.after) {
        bytes += 2 * sizeof(Uuid) + 8;
        for (const std::int64_t n : seen.positions.values()) {
            bytes += wire::varint_size(static_cast<std::uint64_t>(n));
        }
    }
    check_size(subject_of(append), "bytes of positions in `after`", bytes, limits.after_bytes,
               "begin a new session");
}

bool known_encoding(std::string_view encoding) {
    static constexpr std::string_view sealed = "sealed:";
    return encoding == "plain" ||
           (encoding.starts_with(sealed) && encoding.size() > sealed.size() &&
            encoding.size() <= 255 && text::printable(encoding));
}

void check_event(const Subject& subject, const StreamName& stream, const NewEvent& event,
                 const AppendLimits& limits) {
    const bool fine = !event.type.empty() && event.type.size() <= 255 &&
                      text::printable(event.type) && known_encoding(event.encoding) &&
                      event.payload.size() <= limits.event_bytes;
    if (fine) return;
    const std::string where = " for stream " + stream.full();
    if (event.type.empty() || event.type.size() > 255) {
        refuse(subject, "has an event" + where + " whose type has " +
                            std::to_string(event.type.size()) + " bytes; give 1 to 255");
    }
    check_text(subject, "type of an event" + where, event.type);
    check_text(subject, "encoding of an event" + where, event.encoding);
    if (!known_encoding(event.encoding)) {
        refuse(subject, "has an event" + where + " with encoding " + text::quoted(event.encoding) +
                            "; use plain or sealed:<key id>");
    }
    check_size(subject, "bytes in a " + event.type + where, event.payload.size(),
               limits.event_bytes, "keep large content elsewhere and record a reference");
}

bool closes(const NewEvent& event) { return event.type == stream_closed_type; }

void check_writes(const Append& append, const AppendLimits& limits) {
    const Subject subject = subject_of(append);
    std::unordered_set<std::string_view> written;
    std::size_t events = 0, bytes = 0;
    for (const StreamWrite& write : append.writes) {
        check_expected(subject, write.stream, write.expected);
        if (!written.insert(write.stream.full()).second) {
            refuse(subject, "writes stream " + write.stream.full() +
                                " twice; put its events into one write");
        }
        if (write.events.empty()) {
            refuse(subject, "writes no events to stream " + write.stream.full() +
                                "; make it a check, or leave it out");
        }
        if (std::any_of(write.events.begin(), write.events.end() - 1, closes)) {
            refuse(subject, "writes events to stream " + write.stream.full() +
                                " behind the one that closes it; make that the last");
        }
        events += write.events.size();
        for (const NewEvent& event : write.events) {
            check_event(subject, write.stream, event, limits);
            bytes += event.payload.size();
        }
    }
    for (const StreamCheck& check : append.checks) {
        check_expected(subject, check.stream, check.expected);
        if (written.contains(check.stream.full())) {
            refuse(subject, "checks stream " + check.stream.full() +
                                ", which it writes; put the expectation on the write");
        }
    }
    if (!append.follows.empty() && append.writes.empty() && append.checks.empty()) {
        refuse(subject, "follows append " + text::quoted(append.follows) +
                            " and names no stream that was decided on; check it");
    }
    check_size(subject, "events", events, limits.append_events, "split it");
    check_size(subject, "checks", append.checks.size(), limits.append_events, "split it");
    check_size(subject, "bytes of events", bytes, limits.append_bytes, "split it");
}

void check_rejection(const Append& append, const AppendLimits& limits) {
    if (!append.rejection) return;
    const Subject subject = subject_of(append);
    if (!append.writes.empty()) {
        refuse(subject, "has both events and a rejection; a refused command writes nothing");
    }
    const Rejection& rejection = *append.rejection;
    if (rejection.code.empty()) refuse(subject, "is refused without a code; give one");
    check_text(subject, "rejection code", rejection.code);
    if (!valid_utf8(rejection.detail)) {
        refuse(subject, "has a rejection " + rejection.code + " whose detail is not UTF-8");
    }
    check_size(subject, "bytes of rejection", rejection.code.size() + rejection.detail.size(),
               limits.metadata_bytes, "shorten the detail");
}

}  // namespace

void check_append(const Append& append, const AppendLimits& limits) {
    check_command_id(append.metadata.command_id);
    if (append.request == Hash{}) {
        refuse(subject_of(append),
               "has no hash of its request, by which a repeat is told from another command under "
               "its id; set `request`, for instance to request_hash(append)");
    }
    check_metadata(subject_of(append), append.metadata, limits);
    check_after(append, limits);
    check_writes(append, limits);
    check_rejection(append, limits);
}

void check_event(std::string_view from, const StreamName& stream, const NewEvent& event,
                 const CommandMetadata& metadata, const AppendLimits& limits) {
    const Subject subject{"import", from};
    check_expected(subject, stream, Expected::any());
    check_event(subject, stream, event, limits);
    check_metadata(subject, metadata, limits);
}

}  // namespace recount
