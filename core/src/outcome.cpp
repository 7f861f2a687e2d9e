#include <recount/core/append.hpp>
#include <recount/core/error.hpp>

#include <cstdint>
#include <optional>

#include "hasher.hpp"
#include "recount/envelope.pb.h"
#include "wire.hpp"
#include "wire_values.hpp"

namespace recount {
namespace {

constexpr std::size_t digest_bytes = 16;
constexpr std::string_view digest_head{"\x4a\x10"};  // field 9, so many bytes
constexpr std::uint32_t placed_at = 10;
constexpr std::size_t place_bytes = 8;

[[noreturn]] void unreadable(std::string_view command_id, const std::string& why) {
    throw UnreadableEvent("what is kept of command id " + std::string{command_id} +
                          " cannot be read: " + why +
                          "; restore the row of its outcome from a backup");
}

Timestamp time_of(std::int64_t micros) { return Timestamp{std::chrono::microseconds{micros}}; }

StorePositions positions_of(const v1::StorePositions& from) {
    StorePositions seen{Uuid::from(from.store()), Uuid::from(from.incarnation()), {}};
    for (int i = 0; i < from.positions_size(); ++i) {
        seen.positions.set({Partition{i}, from.positions(i)});
    }
    return seen;
}

CommandOutcome::Kind kind_of(v1::Outcome::Kind kind) {
    switch (kind) {
        case v1::Outcome::KIND_EVENTS:
            return CommandOutcome::Kind::events;
        case v1::Outcome::KIND_NOTHING:
            return CommandOutcome::Kind::nothing;
        case v1::Outcome::KIND_REFUSED:
            return CommandOutcome::Kind::refused;
        case v1::Outcome::KIND_VOIDED:
            return CommandOutcome::Kind::voided;
        default:
            throw InvalidArgument("unknown kind " + std::to_string(kind));
    }
}

/// As encode_unplaced() left it to be put.
std::int64_t place_in(const v1::Outcome& from) {
    if (from.streams_size() != 1 || from.placed_at().size() != place_bytes) {
        throw InvalidArgument("it has no place for a single event");
    }
    std::uint64_t n = 0;
    for (const char byte : from.placed_at()) n = n << 8 | static_cast<std::uint8_t>(byte);
    if (n == 0 || n > INT64_MAX) throw InvalidArgument("its place is none");
    return static_cast<std::int64_t>(n);
}

CommandOutcome outcome_of(const v1::Outcome& from) {
    CommandOutcome outcome;
    outcome.command_id = from.command_id();
    outcome.kind = kind_of(from.kind());
    outcome.request = Hash::from(from.request());
    for (const v1::StreamAppended& one : from.streams()) {
        outcome.streams.push_back({StreamName::parse(one.stream()), Version{one.first()},
                                   Version{one.last()},
                                   Position{Partition{one.partition()}, one.first_n()}});
    }
    outcome.rejection = {from.rejection_code(), from.rejection_detail()};
    outcome.recorded_at = time_of(from.recorded_at());
    outcome.reached = positions_of(from.reached());
    if (!from.placed_at().empty()) place_at(outcome, place_in(from));
    return outcome;
}

std::string digest_of(std::string_view bytes) {
    const Hash hash = thread_hasher().add("recount/outcome/1").add(bytes).finish();
    return std::string{hash.view().substr(0, digest_bytes)};
}

/// All fields but the digest.
std::string fields_of(const CommandOutcome& outcome) {
    std::string bytes;
    bytes.reserve(288);
    wire::Writer out{bytes};
    out.bytes(1, outcome.command_id);
    out.number(2, static_cast<std::uint64_t>(outcome.kind));
    out.bytes(3, outcome.request.view());
    std::string element;
    for (const StreamAppended& one : outcome.streams) {
        element.clear();
        wire::Writer added{element};
        added.bytes(1, one.stream.full());
        added.number(2, wire::unsigned_of(one.first.value));
        added.number(3, wire::unsigned_of(one.last.value));
        added.number(4, wire::unsigned_of(one.first_position.partition.value));
        added.number(5, wire::unsigned_of(one.first_position.n));
        out.element(4, element);
    }
    out.bytes(5, outcome.rejection.code);
    out.bytes(6, outcome.rejection.detail);
    out.number(7, wire::micros(outcome.recorded_at));
    wire::write(out, 8, outcome.reached);
    return bytes;
}

CommandOutcome parsed(std::string_view bytes) {
    v1::Outcome from;
    if (bytes.size() > INT32_MAX ||
        !from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        throw InvalidArgument("not a recount.v1.Outcome");
    }
    return outcome_of(from);
}

/// The bytes without their digest; nothing when they have none.
std::optional<std::string_view> digested(std::string_view bytes) {
    if (bytes.size() < digest_head.size() + digest_bytes) return {};
    const std::size_t end = bytes.size() - digest_head.size() - digest_bytes;
    if (bytes.substr(end, digest_head.size()) != digest_head) return {};
    return bytes.substr(0, end);
}

}  // namespace

std::string encode(const CommandOutcome& outcome) {
    std::string bytes = fields_of(outcome);
    const std::string digest = digest_of(bytes);
    bytes.append(digest_head).append(digest);
    return bytes;
}

std::string encode_unplaced(CommandOutcome outcome) {
    for (StreamAppended& one : outcome.streams) one.first_position.n = 0;
    outcome.reached.positions = {};
    std::string bytes = fields_of(outcome);
    wire::Writer{bytes}.begin(placed_at, place_bytes);
    return bytes;
}

void place_at(CommandOutcome& outcome, std::int64_t n) {
    Position& position = outcome.streams.at(0).first_position;
    position.n = n;
    outcome.reached.positions = {};
    outcome.reached.positions.raise(position);
}

CommandOutcome decode_outcome(std::string_view command_id, std::string_view bytes) {
    try {
        auto fields = digested(bytes);
        if (fields && digest_of(*fields) != bytes.substr(bytes.size() - digest_bytes)) fields = {};
        CommandOutcome outcome = parsed(fields.value_or(bytes));
        // One that was written without a digest has these very bytes; no other has.
        if (!fields && fields_of(outcome) != bytes) throw InvalidArgument("it was changed");
        if (outcome.command_id != command_id) {
            throw InvalidArgument("it is that of " + outcome.command_id);
        }
        return outcome;
    } catch (const InvalidArgument& error) {
        unreadable(command_id, error.what());
    }
}

}  // namespace recount
