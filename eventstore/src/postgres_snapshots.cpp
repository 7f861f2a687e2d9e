#include "postgres_snapshots.hpp"

#include <array>
#include <span>

#include "postgres_read.hpp"
#include "store_base.hpp"

namespace recount::postgres {
namespace {

constexpr std::string_view find_snapshot =
    "select fold, version, partition, position, event_id, hash, bytes from snapshot "
    "where stream = $1 and type = $2";

}  // namespace

SnapshotPage read_snapshot(Session& session, const StreamName& stream, std::string_view type,
                           std::int64_t fold, ReadStream options) {
    const auto page = statements_for_page_behind_snapshot(stream, type, fold, options);
    const std::array<Statement, 5> statements{
        {{"begin isolation level repeatable read read only", {}},
         {find_snapshot, {text(stream.full()), text(type)}},
         page.at(0),
         page.at(1),
         {"rollback", {}}}};
    std::vector<Result> answers;
    try {
        answers = session.run_all(statements);
    } catch (...) {
        session.rollback();
        throw;
    }
    SnapshotPage found;
    if (const Result& row = answers[1]; !row.empty()) {
        const Partition partition{static_cast<std::int32_t>(row.integer(0, 2))};
        found.snapshot =
            Snapshot{std::string{type},           row.integer(0, 0),
                     Version{row.integer(0, 1)},  Position{partition, row.integer(0, 3)},
                     Uuid::from(row.bytes(0, 4)), Hash::from(row.bytes(0, 5)),
                     std::string{row.bytes(0, 6)}};
    }
    options.from = first_of(found.snapshot, fold);
    found.page =
        stream_page_from(std::span{answers}.subspan(2, 2), stream, options, session.name());
    return found;
}

void put_snapshot(Session& session, const StreamName& stream, const Snapshot& snapshot) {
    const std::array<Statement, 4> statements{
        {{"begin", {}},
         {"set local synchronous_commit = off", {}},
         {"insert into snapshot "
          "(stream, type, fold, version, partition, position, event_id, hash, bytes) "
          "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (stream, type) do update set "
          "fold = excluded.fold, version = excluded.version, partition = excluded.partition, "
          "position = excluded.position, event_id = excluded.event_id, hash = excluded.hash, "
          "bytes = excluded.bytes",
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
