#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <recount/eventstore/log.hpp>

#include "catalogue.hpp"

namespace recount::projections {

/// Where a generation stands in one partition: everything up to there is in it, or parked.
struct Checkpoint {
    std::int64_t position = 0;
    Hash hash;
    Uuid incarnation;
    Timestamp recorded_at;
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// What a generation says about itself.
struct GenerationHead {
    std::int64_t version = 0;
    std::int64_t generation = 0;
    Uuid store;
    std::int64_t partitions = 0;
    std::string columns;
    bool retired = false;
    std::string stopped;
};

/// Throws Mismatch when it was built from another store, as a store that was made anew finds the
/// views of the one before in its place.
void require_store(const GenerationHead& head, const std::string& view, const std::string& place,
                   const StoreIdentity& store);

/// Creates the generation's tables in an empty database, or finds them there and adds what an older
/// recount did not make.
void create_generation(Sql& sql, const ViewDefinition& definition, const GenerationEntry& entry,
                       const StoreIdentity& store, const Incarnation& first);

GenerationHead read_head(Sql& sql);
/// One entry a partition.
std::vector<Checkpoint> read_checkpoints(Sql& sql);
/// Tells the log where it had found the events at the checkpoints.
void remind(Sql& sql, Log& log);

/// Takes the generation for this transaction: nobody else moves its checkpoints or reads rows to
/// fold until it ends. Throws Superseded.
struct Taken {
    bool any_parked = false;
    std::string stopped;
};
Taken take_generation(Sql& sql, const std::string& view);

/// How one partition's checkpoint moves.
struct Move {
    Partition partition;
    Checkpoint from, to;
    std::optional<std::int64_t> place = {};  // of `to` in the log; decides nothing
};
/// Compare-and-set on position and hash alone; throws Fenced when another was faster.
void move_checkpoints(Sql& sql, const std::string& view, const std::vector<Move>& moves);

void set_stopped(Sql& sql, const std::string& reason);

/// What a checkpoint says of what it has seen, to be judged by still_holds().
StorePositions seen(const Uuid& store, Partition partition, const Checkpoint& checkpoint,
                    std::size_t partitions);

}  // namespace recount::projections
