#include "postgres_snapshots.hpp"

#include <recount/core/error.hpp>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "postgres_read.hpp"
#include "store_base.hpp"

namespace recount::postgres {
namespace {

/// The stream with its snapshot, then the events behind that, as of one moment. Only the first row
/// has the stream's version.
constexpr std::string_view snapshot_and_rows =
    "with head as (select k.partition, k.position, k.event_id, k.hash, null::bytea as salt, "
    "  k.bytes, s.version, s.closed, k.fold, k.version as kept "
    "  from stream s left join snapshot k on k.stream = s.name and k.type = $2 where s.name = $1) "
    "select * from head union all "
    "(select partition, position, envelope, hash, salt, payload, null, null, null, null from event "
    "where stream = $1 and version >= coalesce((select kept from head where fold = $3), 1) "
    "order by version limit $4)";

std::optional<Snapshot> snapshot_from(const Result& row, std::string_view type) {
    if (row.null(0, 8)) return {};
    const Partition partition{static_cast<std::int32_t>(row.integer(0, 0))};
    return Snapshot{std::string{type},           row.integer(0, 8),
                    Version{row.integer(0, 9)},  Position{partition, row.integer(0, 1)},
                    Uuid::from(row.bytes(0, 2)), Hash::from(row.bytes(0, 3)),
                    std::string{row.bytes(0, 5)}};
}

/// A stream's head, its snapshot and its events as they come, row by row: nothing is summed up on
/// the server, and what is more than the page may hold is passed over.
class Reading {
public:
    Reading(const StreamName& stream, std::string_view type, std::int64_t fold,
            const ReadStream& options)
        : stream_(stream), type_(type), fold_(fold), limit_(options.max_events, options.max_bytes) {
        const auto most = static_cast<std::int64_t>(limit_.events_left()) + 1;
        statement_ = {snapshot_and_rows,
                      {text(stream.full()), text(type), bigint(fold), bigint(most)}};
    }

    SnapshotPage run(Session& session) {
        session.run_rows({&statement_, 1},
                         [this](std::size_t, const Result& row) { return take(row); });
        StreamPage& page = found_.page;
        page.end = !full_;
        if (page.end && next() <= page.head) {
            lacks_version(stream_, next(), page.head, session.name());
        }
        return std::move(found_);
    }

private:
    bool take(const Result& row) {
        StreamPage& page = found_.page;
        if (!row.null(0, 6)) {
            page.head = Version{row.integer(0, 6)};
            page.closed = row.integer(0, 7) != 0;
            found_.snapshot = snapshot_from(row, type_);
            return true;
        }
        RecordedEvent event = recorded_event(event_parts(row, 0));
        full_ = !limit_.take(event);
        if (full_) return false;
        check_row(event, stream_, next());
        page.events.push_back(std::move(event));
        return true;
    }

    [[nodiscard]] Version next() const {
        const Version first = first_of(found_.snapshot, fold_);
        return Version{first.value + static_cast<std::int64_t>(found_.page.events.size())};
    }

    const StreamName& stream_;
    std::string_view type_;
    std::int64_t fold_;
    PageLimit limit_;
    Statement statement_;
    SnapshotPage found_;
    bool full_ = false;
};

}  // namespace

SnapshotPage read_snapshot(Session& session, const StreamName& stream, std::string_view type,
                           std::int64_t fold, const ReadStream& options) {
    return Reading{stream, type, fold, options}.run(session);
}

/// One that reaches less far, or is of another fold, replaces another only where that is of no use,
/// or holds nothing that was erased: see MemorySnapshots.
void put_snapshot(Session& session, const StreamName& stream, const Snapshot& snapshot) {
    const std::array<Statement, 4> statements{
        {{"begin", {}},
         {"set local synchronous_commit = off", {}},
         {"insert into snapshot "
          "(stream, type, fold, version, partition, position, event_id, hash, bytes) "
          "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (stream, type) do update set "
          "fold = excluded.fold, version = excluded.version, partition = excluded.partition, "
          "position = excluded.position, event_id = excluded.event_id, hash = excluded.hash, "
          "bytes = excluded.bytes where (snapshot.fold = excluded.fold "
          "and snapshot.version <= excluded.version) or (snapshot.fold <> excluded.fold "
          "and not exists (select 1 from event e where e.stream = snapshot.stream "
          "and e.version <= snapshot.version and e.payload is null)) or not exists (select 1 from "
          "event e "
          "where e.stream = snapshot.stream and e.version = snapshot.version "
          "and e.hash = snapshot.hash)",
          {text(stream.full()), text(snapshot.type), bigint(snapshot.fold),
           bigint(snapshot.version.value), integer(snapshot.last.partition.value),
           bigint(snapshot.last.n), bytea(snapshot.last_event.view()),
           bytea(snapshot.last_hash.view()), bytea(snapshot.bytes)}},
         {"commit", {}}}};
    try {
        session.run_and_commit(statements);
    } catch (...) {
        session.rollback();
        throw;
    }
}

void drop_snapshots(Session& session, const StreamName& stream, Version first, Version last) {
    const Statement remove{
        "delete from snapshot where stream = $1 and version between $2 and $3 returning true",
        {text(stream.full()), bigint(first.value), bigint(last.value)}};
    session.run_and_commit({&remove, 1});
}

}  // namespace recount::postgres
