#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/append.hpp>
#include <recount/core/envelope.hpp>
#include <recount/core/environment.hpp>
#include <recount/core/streams.hpp>
#include <recount/eventstore/log.hpp>

#include "append_group.hpp"

namespace recount {

/// What the store held under its locks, entry by entry of Touched's lists.
struct KnownState {
    std::vector<LogHead> heads;     // of Touched::partitions
    std::vector<Version> versions;  // of Touched::streams, 0 when there is none
    std::vector<bool> closed;       // of Touched::streams
    std::vector<std::optional<CommandOutcome>> outcomes;  // of Touched::command_ids
    /// Read no sooner than the outcomes: those recorded before may have been removed.
    Timestamp horizon;

    /// All empty, of the right sizes, to be filled in.
    static KnownState for_all(const Touched& touched);
};

/// What stays the same from one append to the next.
struct PlanContext {
    StoreIdentity identity;
    /// For each partition of the store: where the living incarnation began (the fork's number, 0
    /// for a new store) and its origin hash, from which the first event behind the fork is chained.
    std::vector<LogHead> origins;
    /// The schema revision that the store has registered for a type.
    std::function<std::uint32_t(std::string_view type)> revision_of;
};

/// Makes `origins` of the living incarnation (the last of `incarnations`).
std::vector<LogHead> living_origins(const StoreIdentity& identity,
                                    const std::vector<Incarnation>& incarnations);

/// One row for the log. Views point into the group.
struct PlannedEvent {
    Position position;
    std::string_view stream;
    std::size_t stream_index = 0;  // in Touched::streams
    Version version;
    std::string_view type;
    std::string envelope;
    Hash hash;
    std::string salt;
    std::string_view payload;
};

struct PlannedHead {
    Partition partition;
    LogHead before;  // as it was known: what a conditional update compares with
    LogHead head;
};

struct PlannedVersion {
    std::string_view stream;
    std::size_t stream_index = 0;  // in Touched::streams
    Version before, version;
    bool closed = false;  // by this plan: nothing may follow
};

struct PlannedOutcome {
    std::string_view command_id;
    CommandOutcome::Kind kind;
    Timestamp recorded_at;
    std::string bytes;  // encode(CommandOutcome)
};

/// What to write, and the verdict on each append.
struct AppendPlan {
    std::vector<PlannedEvent> events;  // in the order of the group; of a partition, in its order
    std::vector<PlannedHead> heads;    // of partitions that grow, sorted
    std::vector<PlannedVersion> versions;  // of streams that grow, sorted
    std::vector<PlannedOutcome> outcomes;  // new ones, in the order of the group
    std::vector<AppendResult> results;     // one an append

    [[nodiscard]] bool writes_nothing() const { return outcomes.empty(); }
    [[nodiscard]] bool commits_all() const {
        return std::ranges::all_of(results, [](const AppendResult& result) {
            return result.kind == AppendResult::Kind::committed;
        });
    }
};

/// Decides a group of appends, one after the other, each on what the earlier ones left: an outcome
/// under its id is repeated or, for other content, refused as reused; an id without one that was
/// born before the horizon is expired; then all its expectations are checked, and every one that
/// fails is listed, and every stream it would write that is closed; then its rows are made. Pure
/// but for `random`.
AppendPlan plan_append(AppendGroup group, const Touched& touched, const KnownState& known,
                       const PlanContext& context, Timestamp now, Random& random);

/// The verdict on a command whose id has an outcome: repeated or reused.
AppendResult repeated(const CommandOutcome& first, const Hash& request);

/// The end of a partition while rows are put there, one after the other.
struct LogEnd {
    Partition partition;
    LogHead& head;
    const PlanContext& context;
    Timestamp now;
};

/// Gives an event its place: position, time, envelope and hash, and moves the head on. Of `row`
/// stream, version, type, salt and payload are there already, and of `envelope` all that does not
/// follow from them.
void place_event(PlannedEvent& row, Envelope& envelope, const LogEnd& end,
                 const std::optional<Timestamp>& occurred_at);

/// Throws Divergence when a partition ends before, or otherwise than, this process saw it end: it
/// was put back to an earlier state, and positions that were acknowledged would be given again.
void require_no_step_back(const std::string& store, Partition partition, const LogHead& seen,
                          const LogHead& now);

/// The outcome that claims a command id which has none.
CommandOutcome voided_outcome(std::string_view command_id, const StoreIdentity& identity,
                              Timestamp now);

}  // namespace recount
