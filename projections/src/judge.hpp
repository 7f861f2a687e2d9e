#pragma once

#include <recount/core/session.hpp>

#include <optional>
#include <string>
#include <vector>

#include "generation.hpp"
#include "parked.hpp"

namespace recount::projections {

/// What a read saw of its view, in its own snapshot.
struct Snapshot {
    GenerationHead head;
    std::vector<Checkpoint> checkpoints;
    std::vector<ParkedHead> parked;
};

/// What a read needs: positions, perhaps of one partition only.
struct Wanted {
    Positions positions;
    std::optional<Partition> only;      // the read shows what this partition fed, and nothing else
    std::optional<std::string> stream;  // the read shows what this stream fed, and nothing else
    /// Of histories that the log, a copy, has not heard of: it may be behind a restore.
    std::vector<StorePositions> unheard = {};

    [[nodiscard]] bool empty() const { return positions.empty() && unheard.empty(); }
};

/// The positions that a session's token asks of a read. Throws Divergence when it saw a branch of
/// history that the store lost, where that concerns the read; of a `copy` of the log only when it
/// knows of that branch.
Wanted wanted_by(const Session& session, const StoreIdentity& store,
                 const std::vector<Incarnation>& incarnations, bool copy,
                 std::optional<Partition> only, std::optional<std::string> stream);

/// The histories of which both are.
std::vector<Uuid> seen_in(const Wanted& wanted, const Snapshot& snapshot);

/// What was unheard of is wanted like the rest as soon as the log has heard of it. Empty, or which
/// history it still has not, for people. Throws as wanted_by().
std::string hear(Wanted& wanted, const StoreIdentity& store,
                 const std::vector<Incarnation>& incarnations);

/// Empty when the snapshot shows everything that is wanted; else what is missing, for people.
std::string missing(const std::string& view, const Wanted& wanted, const Snapshot& snapshot,
                    const Uuid& store, const std::vector<Incarnation>& incarnations);

/// Which events the snapshot lacks because their streams are parked, for people; of one stream
/// only, where a read shows no other. Empty: none.
std::string set_aside(const Snapshot& snapshot, const std::optional<std::string>& stream);

/// What the read showed, as a session is to remember it: one entry an incarnation.
std::vector<StorePositions> shown(const Snapshot& snapshot, const Uuid& store,
                                  std::optional<Partition> only);

}  // namespace recount::projections
