#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/stream.hpp>
#include <recount/core/values.hpp>

namespace recount {

/// What a session had written or seen in one store when it wrote: everything up to these positions.
struct StorePositions {
    Uuid store;
    Uuid incarnation;
    Positions positions;
    friend bool operator==(const StorePositions&, const StorePositions&) = default;
};

/// Everything about an event but its payload. Stored, sent and hashed as bytes (see encode); those
/// bytes are never made again from the parsed form.
struct Envelope {
    StreamName stream;
    Version version;
    Uuid event_id;
    std::string type;                   // the protobuf message's full name
    std::uint32_t schema_revision = 1;  // of that type, as the store counts them
    std::string encoding = "plain";     // or "sealed:<key id>"
    Hash payload_digest;                // SHA-256(salt ‖ payload)
    std::string append_id;              // the command id of the append
    std::uint32_t append_index = 0;     // this is event `append_index` (from 0) …
    std::uint32_t append_count = 1;     // … of so many in the append
    std::string correlation_id;
    std::string causation_id;
    std::string traceparent;
    std::map<std::string, std::string> headers;
    Timestamp occurred_at;              // the caller's: when it happened
    Timestamp recorded_at;              // the store's: never runs back within a partition
    std::vector<StorePositions> after;  // what the writer had seen
};

/// The envelope's bytes: a protobuf message (recount.v1.Envelope in recount/envelope.proto), fields
/// in order of number, header entries sorted by name.
std::string encode(const Envelope& envelope);
/// Throws UnreadableEvent.
Envelope decode_envelope(std::string_view bytes);
/// The same into an envelope that was used before, whose strings keep their memory; who reads many
/// one by one spends most on that.
void decode_envelope(std::string_view bytes, Envelope& into);

/// SHA-256(salt ‖ payload).
Hash payload_digest(std::string_view salt, std::string_view payload);

/// The hash from which an incarnation's chain begins in a partition: it binds store, incarnation,
/// and where it forked: SHA-256("recount/origin/1" ‖ store ‖ incarnation ‖ u32 partition ‖ u64 n ‖
/// hash), n and hash being those of the last event before the fork (0 and zeros for a new store).
Hash origin_hash(const Uuid& store, const Uuid& incarnation, const Position& fork,
                 const Hash& at_fork);

/// The hash of an event:
/// SHA-256("recount/event/1" ‖ u32 partition ‖ u64 n ‖ hash before ‖ envelope), integers
/// big-endian.
Hash chain_hash(const Position& position, const Hash& before, std::string_view envelope);

}  // namespace recount
