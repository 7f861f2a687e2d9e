#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <google/protobuf/message.h>

#include <recount/core/events.hpp>
#include <recount/core/state_cache.hpp>
#include <recount/core/streams.hpp>

namespace recount {

/// A folded state, kept beside its stream so that the events before need not be read. Never
/// trusted: it is used only when the stream's event at `version` is the one it says.
struct Snapshot {
    std::string type;       // the message that the state was written as; a stream has one of each
    std::int64_t fold = 0;  // the user's stamp of how events were folded into it
    Version version;        // of the last event folded in, and which that was:
    Position last;
    Uuid last_event;
    Hash last_hash;
    std::string bytes;          // sealed: see snapshot::seal
    std::int64_t erasures = 0;  // of the stream when its events were read: see keep_snapshot()
    friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// A snapshot if there is one, and the stream from there on.
struct SnapshotPage {
    std::optional<Snapshot> snapshot;  // with whatever stamp
    StreamPage page;  // from its version on when the stamp is the one asked for, else from 1
};

/// What Streams are besides when they keep snapshots. Thread-safe; all calls block.
class SnapshotStore {
public:
    virtual ~SnapshotStore() = default;

    /// The stream's snapshot of a type and the events from there on, in one round trip if nothing
    /// changes meanwhile. Of the options the limits count; whether it is closed may be older.
    virtual SnapshotPage read_snapshot(const StreamName& stream, std::string_view type,
                                       std::int64_t fold, ReadStream options) = 0;
    /// Puts a snapshot in the place of the one of its type. It may be lost, and may be there later
    /// only; no append waits for it. One made of events that have been erased from the stream since
    /// is not kept: its `erasures` are not the stream's any more.
    virtual void keep_snapshot(const StreamName& stream, const Snapshot& snapshot) = 0;
};

/// A State that can be kept as a snapshot. It says how, by two functions that are found by
/// argument-dependent lookup, and which way of folding it is; the stamp is raised whenever evolve,
/// upcast or these change what comes out, and older snapshots are ignored then.
///     struct Cart { static constexpr int fold = 3; … };
///     CartSnapshot to_snapshot(const Cart& cart);       // a protobuf message of its own
///     Cart from_snapshot(const CartSnapshot& snapshot);
template <class State>
concept Snapshots = requires(const State& state) {
    { State::fold } -> std::convertible_to<std::int64_t>;
    { to_snapshot(state) } -> std::derived_from<google::protobuf::Message>;
    { from_snapshot(to_snapshot(state)) } -> std::same_as<State>;
};

namespace check {

template <class State>
concept WritesSnapshots = requires(const State& state) {
    to_snapshot(state);
};

template <class State>
struct WholeSnapshot {
    static_assert(!WritesSnapshots<State> || Snapshots<State>,
                  "this State has a to_snapshot(const State&), but no `State from_snapshot(const "
                  "Message&)` of what that returns, in the namespace of the Message, or no `static "
                  "constexpr int fold`");
};

}  // namespace check

/// The bytes of snapshots and what is counted about them, without templates. See snapshots.cpp.
namespace snapshot {
/// Sets the bytes: a zero byte, with which no message begins, SHA-256("recount/snapshot/1", the
/// lengths and bytes of stream and type, fold, version, last, last_event, last_hash, the message),
/// and the message.
void seal(Snapshot& snapshot, const StreamName& stream, const google::protobuf::Message& message);
/// False when they are not what seal() made of all these, or no such message.
[[nodiscard]] bool read(const Snapshot& from, const StreamName& stream,
                        google::protobuf::Message& message);
/// Why a snapshot was of no use: "fold", "history", "unreadable".
void count_ignored(Streams& streams, const StreamName& stream, const std::string& reason);
/// Throws UnreadableEvent: a snapshot that is of no use here is all that is left of an event that
/// was erased, and a state folded without it would take its place.
[[noreturn]] void refuse_to_replace(const StreamName& stream, const Snapshot& there,
                                    std::int64_t fold, Version erased);
/// Whether one could be kept, and how long that took whoever had loaded the state or handled a
/// command. It may not, and nobody else need know.
void count_kept(Streams& streams, const StreamName& stream, bool kept,
                std::chrono::nanoseconds took);
/// The streams as one that keeps snapshots; nothing when none are asked for. Throws InvalidArgument
/// when they are, of a State or streams that have none.
SnapshotStore* store_in(Streams& streams, bool asked, bool there, std::string_view category);
}  // namespace snapshot

/// The state of a snapshot; nothing when it cannot be read or another fold made it, which is
/// counted.
template <class State>
std::optional<Loaded<State>> state_of(Streams& streams, const StreamName& stream,
                                      const Snapshot& from) {
    std::remove_cvref_t<decltype(to_snapshot(std::declval<const State&>()))> message;
    if (from.fold != State::fold) {
        snapshot::count_ignored(streams, stream, "fold");
        return std::nullopt;
    }
    if (!snapshot::read(from, stream, message)) {
        snapshot::count_ignored(streams, stream, "unreadable");
        return std::nullopt;
    }
    Loaded<State> loaded;
    try {
        loaded.state = from_snapshot(std::as_const(message));
    } catch (const std::exception&) {
        snapshot::count_ignored(streams, stream, "unreadable");
        return std::nullopt;
    }
    loaded.version = loaded.snapshot = from.version;
    loaded.last = from.last;
    loaded.last_event = from.last_event;
    loaded.last_hash = from.last_hash;
    loaded.incarnation = streams.identity().incarnation;
    return loaded;
}

/// The type under which a State's snapshots are kept.
template <class State>
const std::string& snapshot_type() {
    return type_name<std::remove_cvref_t<decltype(to_snapshot(std::declval<const State&>()))>>();
}

template <class State>
Snapshot snapshot_of(const StreamName& stream, const Loaded<State>& loaded) {
    Snapshot snapshot{
        snapshot_type<State>(), State::fold, loaded.version, loaded.last, loaded.last_event,
        loaded.last_hash,       {},          loaded.erasures};
    snapshot::seal(snapshot, stream, to_snapshot(loaded.state));
    return snapshot;
}

}  // namespace recount
