#include <recount/core/append.hpp>
#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "text.hpp"
#include "wire.hpp"

namespace recount {
namespace {

std::string named(const Append& append) { return "append " + append.metadata.command_id; }

[[noreturn]] void refuse(const Append& append, const std::string& why) {
    throw InvalidArgument(named(append) + " " + why);
}

void check_size(const Append& append, const std::string& what, std::size_t size, std::size_t most,
                const std::string& advice) {
    if (size <= most) return;
    refuse(append, "has " + what + ": " + std::to_string(size) + ", at most " +
                       std::to_string(most) + "; " + advice);
}

void check_text(const Append& append, const std::string& what, std::string_view value) {
    if (text::printable(value)) return;
    refuse(append, "has a " + what + " that is not UTF-8 or holds control characters: " +
                       text::quoted(value) + "; encode it");
}

void check_expected(const Append& append, const StreamName& stream, const Expected& expected) {
    if (stream.full().empty()) refuse(append, "names an empty stream; give category and id");
    if (expected.version().value < 0) {
        refuse(append, "expects stream " + stream.full() + " at " + to_string(expected) +
                           "; versions begin at 1, and 0 means no stream");
    }
}

void check_metadata(const Append& append, const AppendLimits& limits) {
    const CommandMetadata& metadata = append.metadata;
    check_text(append, "correlation id", metadata.correlation_id);
    check_text(append, "causation id", metadata.causation_id);
    check_text(append, "traceparent", metadata.traceparent);
    check_size(append, "headers", metadata.headers.size(), limits.metadata_entries,
               "send fewer headers");
    std::size_t bytes =
        metadata.correlation_id.size() + metadata.causation_id.size() + metadata.traceparent.size();
    for (const auto& [name, value] : metadata.headers) {
        if (name.empty()) refuse(append, "has a header without a name; name it");
        check_text(append, "header name", name);
        check_text(append, "value in header " + text::quoted(name), value);
        bytes += name.size() + value.size();
    }
    check_size(append, "bytes of metadata", bytes, limits.metadata_bytes,
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
    check_size(append, "bytes of positions in `after`", bytes, limits.after_bytes,
               "begin a new session");
}

void check_event(const Append& append, const StreamName& stream, const NewEvent& event,
                 const AppendLimits& limits) {
    static constexpr std::string_view sealed = "sealed:";
    const std::string where = " for stream " + stream.full();
    if (event.type.empty() || event.type.size() > 255) {
        refuse(append, "has an event" + where + " whose type has " +
                           std::to_string(event.type.size()) + " bytes; give 1 to 255");
    }
    check_text(append, "type of an event" + where, event.type);
    check_text(append, "encoding of an event" + where, event.encoding);
    const bool known = event.encoding == "plain" || (event.encoding.starts_with(sealed) &&
                                                     event.encoding.size() > sealed.size());
    if (!known || event.encoding.size() > 255) {
        refuse(append, "has an event" + where + " with encoding " + text::quoted(event.encoding) +
                           "; use plain or sealed:<key id>");
    }
    check_size(append, "bytes in a " + event.type + where, event.payload.size(), limits.event_bytes,
               "keep large content elsewhere and record a reference");
}

bool closes(const NewEvent& event) { return event.type == stream_closed_type; }

void check_writes(const Append& append, const AppendLimits& limits) {
    std::unordered_set<std::string_view> written;
    std::size_t events = 0, bytes = 0;
    for (const StreamWrite& write : append.writes) {
        check_expected(append, write.stream, write.expected);
        if (!written.insert(write.stream.full()).second) {
            refuse(append, "writes stream " + write.stream.full() +
                               " twice; put its events into one write");
        }
        if (write.events.empty()) {
            refuse(append, "writes no events to stream " + write.stream.full() +
                               "; make it a check, or leave it out");
        }
        if (std::any_of(write.events.begin(), write.events.end() - 1, closes)) {
            refuse(append, "writes events to stream " + write.stream.full() +
                               " behind the one that closes it; make that the last");
        }
        events += write.events.size();
        for (const NewEvent& event : write.events) {
            check_event(append, write.stream, event, limits);
            bytes += event.payload.size();
        }
    }
    for (const StreamCheck& check : append.checks) {
        check_expected(append, check.stream, check.expected);
        if (written.contains(check.stream.full())) {
            refuse(append, "checks stream " + check.stream.full() +
                               ", which it writes; put the expectation on the write");
        }
    }
    check_size(append, "events", events, limits.append_events, "split it");
    check_size(append, "checks", append.checks.size(), limits.append_events, "split it");
    check_size(append, "bytes of events", bytes, limits.append_bytes, "split it");
}

void check_rejection(const Append& append, const AppendLimits& limits) {
    if (!append.rejection) return;
    if (!append.writes.empty()) {
        refuse(append, "has both events and a rejection; a refused command writes nothing");
    }
    const Rejection& rejection = *append.rejection;
    if (rejection.code.empty()) refuse(append, "is refused without a code; give one");
    check_text(append, "rejection code", rejection.code);
    if (!text::valid_utf8(rejection.detail)) {
        refuse(append, "has a rejection " + rejection.code + " whose detail is not UTF-8");
    }
    check_size(append, "bytes of rejection", rejection.code.size() + rejection.detail.size(),
               limits.metadata_bytes, "shorten the detail");
}

}  // namespace

void check_append(const Append& append, const AppendLimits& limits) {
    check_command_id(append.metadata.command_id);
    check_metadata(append, limits);
    check_after(append, limits);
    check_writes(append, limits);
    check_rejection(append, limits);
}

}  // namespace recount
