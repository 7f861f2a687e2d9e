#include "sqlite_store_writer.hpp"

#include <algorithm>
#include <exception>

namespace recount {
namespace {

/// As much as waits for the next append at most, which takes it along.
constexpr std::size_t most_snapshots = 64;
constexpr std::size_t most_snapshot_bytes = std::size_t{1} << 20;

}  // namespace

SqliteWriter::~SqliteWriter() {
    if (snapshots_.empty()) return;
    try {
        in_transaction([&] {
            write_snapshots();
            return true;
        });
    } catch (const std::exception&) {
        // They are folded again from the events.
    }
}

void SqliteWriter::put_snapshot(const StreamName& stream, const Snapshot& snapshot) {
    std::size_t bytes = snapshot.bytes.size();
    for (const auto& [key, waiting] : snapshots_) bytes += waiting.bytes.size();
    if (snapshots_.size() >= most_snapshots || bytes > most_snapshot_bytes) snapshots_.clear();
    const auto [waiting, added] = snapshots_.try_emplace({stream.full(), snapshot.type}, snapshot);
    if (added) return;
    Snapshot& other = waiting->second;
    if (other.fold != snapshot.fold || other.version <= snapshot.version) other = snapshot;
}

bool SqliteWriter::has_snapshot(const StreamName& stream, Version at_least) {
    const auto reaches = [&](const auto& waiting) {
        return waiting.first.first == stream.full() && waiting.second.version >= at_least;
    };
    if (std::ranges::any_of(snapshots_, reaches)) return true;
    const auto find =
        connection_.prepare("select 1 from snapshot where stream = ? and version >= ?");
    find->bind_text(1, stream.full());
    find->bind(2, at_least.value);
    return find->step();
}

void SqliteWriter::write_snapshots() {
    if (snapshots_.empty()) return;
    // One that reaches less far, or is of another fold, replaces another only where that is of no
    // use, or holds nothing that was erased; and none is written that does: see MemorySnapshots.
    const auto put = connection_.prepare(
        "insert into snapshot select ?, ?, ?, ?, ?, ?, ?, ?, ? from stream "
        "where name = ?1 and erasures = ?10 on conflict (stream, type) "
        "do update set fold = excluded.fold, version = excluded.version, "
        "partition = excluded.partition, position = excluded.position, "
        "event_id = excluded.event_id, hash = excluded.hash, bytes = excluded.bytes "
        "where (snapshot.fold = excluded.fold and snapshot.version <= excluded.version) "
        "or (snapshot.fold <> excluded.fold and not exists "
        "(select 1 from event e join stream s on s.id = e.stream where s.name = snapshot.stream "
        "and e.version <= snapshot.version and e.payload is null)) "
        "or not exists (select 1 from event e join stream s on s.id = e.stream "
        "where s.name = snapshot.stream and e.version = snapshot.version "
        "and e.hash = snapshot.hash)");
    for (const auto& [key, snapshot] : snapshots_) {
        put->bind_text(1, key.first);
        put->bind_text(2, key.second);
        put->bind(3, snapshot.fold);
        put->bind(4, snapshot.version.value);
        put->bind(5, std::int64_t{snapshot.last.partition.value});
        put->bind(6, snapshot.last.n);
        put->bind_bytes(7, snapshot.last_event.view());
        put->bind_bytes(8, snapshot.last_hash.view());
        put->bind_bytes(9, snapshot.bytes);
        put->bind(10, snapshot.erasures);
        put->run();
    }
}

std::int64_t SqliteWriter::erase(const StreamName& stream, const Erasure& what) {
    const auto update = connection_.prepare(
        "update event set salt = null, payload = null where stream = (select id from stream "
        "where name = ?) and version between ? and ? and payload is not null");
    const auto count =
        connection_.prepare("update stream set erasures = erasures + 1 where name = ?");
    const auto drop =
        connection_.prepare("delete from snapshot where stream = ? and version between ? and ?");
    const auto erased = in_transaction([&] {
        update->bind_text(1, stream.full());
        update->bind(2, what.first.value);
        update->bind(3, what.last.value);
        update->run();
        const std::int64_t changes = connection_.last_changes();
        count->bind_text(1, stream.full());
        if (what.forgets) count->run();
        // One that waits may be the only one left that reaches beyond them.
        write_snapshots();
        drop->bind_text(1, stream.full());
        drop->bind(2, what.first.value);
        drop->bind(3, what.snapshots.value);
        drop->run();
        return changes;
    });
    snapshots_.clear();
    return erased;
}

Timestamp SqliteWriter::raise_horizon(Timestamp horizon) {
    const auto update = connection_.prepare("update store set horizon = max(horizon, ?)");
    horizon_ = in_transaction([&] {
        update->bind(1, horizon.time_since_epoch().count());
        update->run();
        return read_horizon();
    });
    return horizon_;
}

void SqliteWriter::forget_outcomes(const std::vector<std::string_view>& command_ids) {
    // Who forgets at the same time may have been faster, and the id be used again since.
    const auto remove = connection_.prepare(
        "delete from outcome where command_id = ? and recorded_at < (select horizon from store)");
    in_transaction([&] {
        for (const std::string_view id : command_ids) {
            remove->bind_text(1, id);
            remove->run();
        }
        return true;
    });
}

}  // namespace recount
