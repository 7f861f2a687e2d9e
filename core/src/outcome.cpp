#include <recount/core/append.hpp>
#include <recount/core/error.hpp>

#include <cstdint>

#include "recount/envelope.pb.h"
#include "serialise.hpp"
#include "text.hpp"

namespace recount {
namespace {

[[noreturn]] void unreadable(const std::string& why) {
    throw UnreadableEvent("the bytes of a command outcome cannot be read: " + why +
                          "; restore the row, or void the command under a new id");
}

Timestamp time_of(std::int64_t micros) { return Timestamp{std::chrono::microseconds{micros}}; }

void set(v1::StorePositions& to, const StorePositions& from) {
    to.set_store(std::string{from.store.view()});
    to.set_incarnation(std::string{from.incarnation.view()});
    to.mutable_positions()->Add(from.positions.values().begin(), from.positions.values().end());
}

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
    v1::Outcome to;
    to.set_command_id(outcome.command_id);
    to.set_kind(static_cast<v1::Outcome::Kind>(outcome.kind));
    to.set_request(std::string{outcome.request.view()});
    for (const StreamAppended& one : outcome.streams) {
        v1::StreamAppended& added = *to.add_streams();
        added.set_stream(one.stream.full());
        added.set_first(one.first.value);
        added.set_last(one.last.value);
        added.set_partition(one.first_position.partition.value);
        added.set_first_n(one.first_position.n);
    }
    to.set_rejection_code(outcome.rejection.code);
    to.set_rejection_detail(outcome.rejection.detail);
    to.set_recorded_at(outcome.recorded_at.time_since_epoch().count());
    set(*to.mutable_reached(), outcome.reached);
    return serialise(to);
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
