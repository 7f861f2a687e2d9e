#pragma once

#include <cstdint>
#include <string_view>

#include <recount/core/snapshots.hpp>

#include "postgres_session.hpp"

namespace recount::postgres {

/// A snapshot and the events from there on, as of one moment, in one round trip, or in two when a
/// snapshot is replaced meanwhile.
SnapshotPage read_snapshot(Session& session, const StreamName& stream, std::string_view type,
                           std::int64_t fold, const ReadStream& options);
/// Committed without waiting for the disk.
void put_snapshot(Session& session, const StreamName& stream, const Snapshot& snapshot);
void drop_snapshots(Session& session, const StreamName& stream, Version first, Version last);

}  // namespace recount::postgres
