#pragma once

#include <cstdint>
#include <string_view>

#include <recount/core/snapshots.hpp>

#include "postgres_session.hpp"

namespace recount::postgres {

/// A snapshot and the events from there on, in one round trip, or in three when a snapshot is
/// replaced meanwhile or some events are erased. What is more than the page may hold is sent all
/// the same, a thousand events at most, and passed over.
SnapshotPage read_snapshot(Session& session, const StreamName& stream, std::string_view type,
                           std::int64_t fold, const ReadStream& options);
/// Committed without waiting for the disk.
void put_snapshot(Session& session, const StreamName& stream, const Snapshot& snapshot);
bool has_snapshot(Session& session, const StreamName& stream, Version at_least);

}  // namespace recount::postgres
