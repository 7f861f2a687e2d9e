#include <recount/core/error.hpp>
#include <recount/eventstore/import.hpp>

#include <utility>

#include "import_chunk.hpp"
#include "store_base.hpp"

namespace recount {
namespace {

/// Throws when a chunk was neither written nor found written.
void require_imported(const AppendResult& result, const ImportOptions& options) {
    if (result.outcome && result.outcome->kind == CommandOutcome::Kind::voided) {
        throw CommandReused("command " + result.outcome->command_id +
                            " was voided, and with it the rest of import " + options.id +
                            "; what precedes it is in the store. Import the rest under another id");
    }
}

}  // namespace

Imported import_events(EventStore& store, const ImportOptions& options,
                       const ImportSource& source) {
    auto* const taking = dynamic_cast<StoreBase*>(&store);
    if (taking == nullptr) {
        throw InvalidArgument(store.identity().name +
                              " takes no imports; pass the store as open_store() gave it");
    }
    return taking->take_import(options, source);
}

Imported StoreBase::take_import(const ImportOptions& options, const ImportSource& source) {
    check_writable();
    ImportChunks chunks{options, source, identity_.partitions, limits_};
    Imported done;
    for (bool new_from_here = false; !options.stop.stop_requested();) {
        std::optional<CommandOutcome> earlier;
        if (!new_from_here) earlier = find_outcome(chunks.next_id());
        new_from_here = !earlier;

        const auto chunk = chunks.next(earlier ? events_of(*earlier) : 0);
        if (chunk->events.empty() && !earlier) return done;
        const AppendResult result =
            accepted(earlier ? repeated(*earlier, chunk->request) : import_chunk(*chunk));
        require_imported(result, options);
        if (result.kind == AppendResult::Kind::conflict) {
            done.kind = Imported::Kind::conflict;
            done.conflict = result.conflict;
            return done;
        }
        const auto events = static_cast<std::int64_t>(chunk->events.size());
        done.events += events;
        if (result.kind == AppendResult::Kind::repeated) done.repeated += events;
        if (options.progress) options.progress(done.events);
    }
    done.kind = Imported::Kind::stopped;
    return done;
}

}  // namespace recount
