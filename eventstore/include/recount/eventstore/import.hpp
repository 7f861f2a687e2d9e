#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include <recount/eventstore/event_store.hpp>

namespace recount {

/// An event that was decided elsewhere.
struct ImportedEvent {
    StreamName stream;
    NewEvent event;
    /// What is known of how it came to be; occurred_at, above all. Its command id stays empty: the
    /// import gives one to each chunk. The id it had may go to causation_id or a header.
    CommandMetadata metadata = {};
    /// The id it had; nothing: one that follows from the import.
    std::optional<Uuid> id = {};
};

/// Gives the next event of an import, and nothing behind the last. Called by the importing thread,
/// for one chunk while the chunk before it is written, so before that is told as progress.
using ImportSource = std::function<std::optional<ImportedEvent>()>;

/// What an import is called, and how much of it is one transaction.
struct ImportOptions {
    /// Names the import in this store, 1 to 200 bytes: the same id with the same events is the same
    /// import.
    std::string id;
    /// A chunk is one transaction: its events, which lock partitions while they are written, and
    /// the outcome of command "<id>/<number of the chunk, from 0>".
    std::size_t chunk_events = 10'000;
    std::size_t chunk_bytes = std::size_t{8} << 20;  // of payloads
    /// Told after each chunk how many events of the source are in the store.
    std::function<void(std::int64_t events)> progress = {};
    std::stop_token stop = {};  // ends after a chunk; the same import again goes on
};

/// What became of an import. Events that were taken are committed in any case.
struct [[nodiscard]] Imported {
    enum class Kind : std::uint8_t {
        complete,
        conflict,  // somebody else has written to a stream of the next chunk
        stopped,   // as asked
    };
    Kind kind = Kind::complete;
    std::int64_t events = 0;    // of the source that are in the store
    std::int64_t repeated = 0;  // of them, those that were there before
    Conflict conflict;          // when conflict: every such stream, expected and actual version
};

/// Puts many events into a store, in the order of the source and as they were, some ten times as
/// fast as single appends. Streams belong to the import alone while it lasts: each is new,
/// or at the version where the import itself left it; anything else is a `conflict` and writes
/// nothing of that chunk. Other streams may be appended to meanwhile, also by other processes.
///
///     std::ifstream lines{"orders.jsonl"};
///     const recount::Imported done = recount::import_events(*store, {.id = "orders-2019"},
///         [&]() -> std::optional<recount::ImportedEvent> {
///             std::string line;
///             if (!std::getline(lines, line)) return {};
///             return recount::ImportedEvent{stream_of(line), recount::new_event(order_of(line)),
///                                           {.occurred_at = time_of(line)}};
///         });
///
/// The same import again goes on behind the last chunk that was committed, so one that was killed
/// is simply run again, and one that was complete does nothing, whatever the size of its chunks;
/// for as long as outcomes are kept (see EventStore::maintain()). After that its streams are in the
/// way: `conflict`. The source must give the same events again, from the first on.
///
/// Memory: two chunks, and some 150 bytes for each stream of the import. Blocks; a second
/// import in the store at the same time is fine when it has streams of its own.
///
/// Throws CommandReused when the id stands for other events, or was voided; InvalidArgument for an
/// event beyond the limits of appends, with the chunks before it committed; OutcomeUnknown and
/// Unavailable as appends do: run the import again.
Imported import_events(EventStore& store, const ImportOptions& options, const ImportSource& source);

}  // namespace recount
