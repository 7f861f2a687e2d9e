#include <recount/core/error.hpp>
#include <recount/eventstore/import.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include "import_chunk.hpp"
#include "store_base.hpp"

namespace recount {
namespace {

/// Before the rows of a chunk are made anew: they say when they were recorded.
constexpr std::chrono::minutes longest_staged{1};

/// Throws when a chunk was neither written nor found written.
void require_imported(const AppendResult& result, const ImportOptions& options) {
    if (result.outcome && result.outcome->kind == CommandOutcome::Kind::voided) {
        throw CommandReused("command " + result.outcome->command_id +
                            " was voided, and with it the rest of import " + options.id +
                            "; what precedes it is in the store. Import the rest under another id");
    }
}

/// The writing of a chunk, by a thread of its own: the importing one makes the next meanwhile.
class Writing {
public:
    Writing(Scheduler& scheduler, std::function<AppendResult()> write)
        : task_(scheduler.spawn("import", [this, write = std::move(write)](const auto&) {
              try {
                  result_ = write();
              } catch (...) {
                  failure_ = std::current_exception();
              }
          })) {}

    /// Waits for it; throws what it threw.
    AppendResult result() {
        task_->join();
        if (failure_) std::rethrow_exception(failure_);
        return std::move(result_);
    }

private:
    AppendResult result_;
    std::exception_ptr failure_;
    std::unique_ptr<Task> task_;  // ends first
};

/// The next chunk, or why there is none, until somebody wants it: what the source throws comes
/// behind the chunk that is being written.
struct NextChunk {
    struct Made {
        std::unique_ptr<ImportChunk> chunk;
        std::unique_ptr<StagedChunk> staged;  // ends first: its rows are of the chunk
        Timestamp staged_at{};
    };
    Made made;
    std::exception_ptr failure;

    template <class Stage>
    void make(ImportChunks& chunks, Clock& clock, const Stage& stage) {
        try {
            made.chunk = chunks.next(0);
            made.staged_at = clock.now();
            if (!made.chunk->events.empty()) made.staged = stage(*made.chunk);
        } catch (...) {
            failure = std::current_exception();
        }
    }
    /// No chunk when none was made.
    Made take() {
        if (failure) std::rethrow_exception(failure);
        return std::exchange(made, {});
    }
};

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
    NextChunk next;
    Imported done;
    for (bool new_from_here = false; !options.stop.stop_requested();) {
        std::optional<CommandOutcome> earlier;
        if (!new_from_here) earlier = find_outcome(chunks.next_id());
        new_from_here = !earlier;

        auto [chunk, staged, staged_at] = next.take();
        if (environment_.clock.now() - staged_at > longest_staged) staged.reset();
        if (!chunk) chunk = chunks.next(earlier ? events_of(*earlier) : 0);
        const ImportChunk& now = *chunk;
        if (now.events.empty() && !earlier) return done;
        AppendResult result;
        if (earlier) {
            confirm_found();
            result = repeated(*earlier, now.request);
        } else {
            if (!staged) staged = stage_chunk(now, nullptr);
            StagedChunk* const rows = staged.get();
            Writing writing{environment_.scheduler, [&, rows] { return import_chunk(now, rows); }};
            next.make(chunks, environment_.clock, [&](const ImportChunk& behind) {
                return rows == nullptr ? nullptr : stage_chunk(behind, rows);
            });
            result = writing.result();
            if (rows == nullptr || !rows->written()) next.made.staged.reset();
            staged.reset();
        }
        result = accepted(std::move(result));
        require_imported(result, options);
        if (result.kind == AppendResult::Kind::conflict) {
            done.kind = Imported::Kind::conflict;
            done.conflict = result.conflict;
            return done;
        }
        const auto events = static_cast<std::int64_t>(now.events.size());
        done.events += events;
        if (result.kind == AppendResult::Kind::repeated) done.repeated += events;
        if (options.progress) options.progress(done.events);
    }
    done.kind = Imported::Kind::stopped;
    return done;
}

}  // namespace recount
