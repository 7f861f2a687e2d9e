#include "postgres_snapshots.hpp"

#include <recount/core/error.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "postgres_read.hpp"
#include "store_base.hpp"

namespace recount::postgres {
namespace {

/// The stream with its snapshot, then the events behind that, as of one moment. Only the first row
/// has the stream's version. In place of a payload of more than $5 bytes the last column has its
/// size.
constexpr std::string_view snapshot_and_rows =
    "with head as (select k.partition, k.position, k.event_id, k.hash, null::bytea as salt, "
    "  k.bytes, s.version, s.closed, k.fold, k.version as kept, s.erasures "
    "  from stream s left join snapshot k on k.stream = s.name and k.type = $2 where s.name = $1) "
    "select * from head union all "
    "(select partition, position, envelope, hash, salt, "
    "case when octet_length(payload) <= $5 then payload end, null, null, null, "
    "case when octet_length(payload) > $5 then octet_length(payload) end, null from event "
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

// What is held at once: of rows that come one by one libpq makes a result each, which for the few
// that most snapshots are behind takes longer than all else.
constexpr std::size_t small_page = 64;
constexpr std::int64_t small_payload = std::int64_t{16} << 10;
constexpr std::int64_t any_payload = std::numeric_limits<std::int64_t>::max();

/// A stream's head, its snapshot and its events. A small page is taken whole; what is not in it is
/// its reader's to read on.
class Reading {
public:
    Reading(const StreamName& stream, std::string_view type, std::int64_t fold,
            const ReadStream& options)
        : stream_(stream),
          type_(type),
          fold_(fold),
          options_(options),
          limit_(options.max_events, options.max_bytes) {}

    SnapshotPage run(Session& session) {
        small_ = true;
        const Statement statement = this->statement();
        const std::vector<Result> answers = session.run_all({&statement, 1});
        found_.page.events.reserve(answers[0].size());
        for (std::size_t row = 0; row < answers[0].size() && !full_; ++row) take(answers[0], row);
        const bool first_is_large = full_ && found_.page.events.empty();
        return first_is_large ? row_by_row(session) : finish(session);
    }

private:
    /// Nothing is summed up on the server, and what is more than the page may hold is passed over.
    SnapshotPage row_by_row(Session& session) {
        found_ = {};
        full_ = small_ = false;
        limit_ = PageLimit{options_.max_events, options_.max_bytes};
        const Statement statement = this->statement();
        session.run_rows({&statement, 1},
                         [this](std::size_t, const Result& row) { return take(row, 0); });
        return finish(session);
    }

    [[nodiscard]] Statement statement() const {
        std::size_t most = limit_.events_left();
        if (small_) most = std::min(most, small_page);
        return {snapshot_and_rows,
                {text(stream_.full()), text(type_), bigint(fold_),
                 bigint(static_cast<std::int64_t>(most) + 1),
                 bigint(small_ ? small_payload : any_payload)}};
    }

    SnapshotPage finish(const Session& session) {
        StreamPage& page = found_.page;
        page.end = !full_;
        if (page.end && next() <= page.head) {
            lacks_version(stream_, next(), page.head, session.name());
        }
        return std::move(found_);
    }

    bool take(const Result& rows, std::size_t row) {
        StreamPage& page = found_.page;
        if (!rows.null(row, 6)) {
            page.head = Version{rows.integer(row, 6)};
            page.closed = rows.integer(row, 7) != 0;
            page.erasures = rows.integer(row, 10);
            found_.snapshot = snapshot_from(rows, type_);
            return true;
        }
        full_ = !rows.null(row, 9) || (small_ && page.events.size() == small_page);
        if (full_) return false;
        RecordedEvent event = recorded_event(event_parts(rows, row));
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
    const ReadStream& options_;
    PageLimit limit_;
    SnapshotPage found_;
    bool small_ = true;
    bool full_ = false;
};

}  // namespace

SnapshotPage read_snapshot(Session& session, const StreamName& stream, std::string_view type,
                           std::int64_t fold, const ReadStream& options) {
    return Reading{stream, type, fold, options}.run(session);
}

/// One that reaches less far, or is of another fold, replaces another only where that is of no use,
/// or holds nothing that was erased; and none is kept that does: see MemorySnapshots. An erasure
/// that comes meanwhile waits, and takes away what is kept here.
void put_snapshot(Session& session, const StreamName& stream, const Snapshot& snapshot) {
    const std::array<Statement, 4> statements{
        {{"begin", {}},
         {"set local synchronous_commit = off", {}},
         {"insert into snapshot "
          "(stream, type, fold, version, partition, position, event_id, hash, bytes) "
          "select $1::text, $2::text, $3::bigint, $4::bigint, $5::integer, $6::bigint, $7::bytea, "
          "$8::bytea, $9::bytea from stream where name = $1 and erasures = $10::bigint "
          "for key share on conflict (stream, type) do update set "
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
           bytea(snapshot.last_hash.view()), bytea(snapshot.bytes), bigint(snapshot.erasures)}},
         {"commit", {}}}};
    try {
        session.run_and_commit(statements);
    } catch (...) {
        session.rollback();
        throw;
    }
}

bool has_snapshot(Session& session, const StreamName& stream, Version at_least) {
    const std::array parameters{text(stream.full()), bigint(at_least.value)};
    return !session
                .run("select 1 from snapshot where stream = $1 and version >= $2 limit 1",
                     parameters)
                .empty();
}

}  // namespace recount::postgres
