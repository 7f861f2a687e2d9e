#include <recount/core/append.hpp>
#include <recount/core/error.hpp>

#include <cstdint>

#include "recount/envelope.pb.h"
#include "wire.hpp"
#include "wire_values.hpp"

namespace recount {
namespace {

[[noreturn]] void unreadable(const std::string& why) {
    throw UnreadableEvent("the bytes of a command outcome cannot be read: " + why +
                          "; restore the row, or void the command under a new id");
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
            unreadable("unknown kind " + std::to_string(kind));
    }
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
    return outcome;
}

}  // namespace

std::string encode(const CommandOutcome& outcome) {
    std::string bytes;
    bytes.reserve(256);
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

CommandOutcome decode_outcome(std::string_view bytes) {
    v1::Outcome from;
    if (bytes.size() > INT32_MAX ||
        !from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        unreadable("not a recount.v1.Outcome");
    }
    try {
        return outcome_of(from);
    } catch (const InvalidArgument& error) {
        unreadable(error.what());
    }
}

}  // namespace recount
