#include "generation.hpp"

#include <algorithm>

#include <recount/core/error.hpp>
#include <recount/core/utf8.hpp>
#include <recount_sql/recount_projections.hpp>

#include "columns.hpp"

namespace recount::projections {
namespace {

/// The place came later. Programs that do not know it leave it as it was, which is harmless.
void add_what_is_new(Sql& sql) {
    const SqlResult found =
        sql.dialect() == SqlDialect::sqlite
            ? sql.query("select 1 from pragma_table_info('_checkpoint') where name = 'place'")
            : sql.query(
                  "select 1 from information_schema.columns where table_schema = "
                  "current_schema() and table_name = '_checkpoint' and column_name = 'place'");
    if (found.empty()) sql.exec("alter table _checkpoint add column place bigint");
}

}  // namespace

void create_generation(Sql& sql, const ViewDefinition& definition, const GenerationEntry& entry,
                       const StoreIdentity& store, const Incarnation& first) {
    lock_structure(sql);
    const std::vector<std::string> there = tables(sql);
    if (std::find(there.begin(), there.end(), "_generation") != there.end()) {
        add_what_is_new(sql);
        return;
    }
    sql.script(sql::generation);
    std::string columns;
    if (definition.keyed()) {
        const RowColumns row{*definition.row->GetDescriptor()};
        columns = row.describe();
        sql.exec(row.create_table(definition.name, sql.dialect()));
    } else {
        definition.create(sql);
    }
    sql.exec(
        "insert into _generation (id, view, version, generation, store, partitions, columns, "
        "retired, "
        "stopped) values (1, $1, $2, $3, $4, $5, $6, 0, '')",
        definition.name, entry.version, entry.generation, Bytes{std::string{store.id.view()}},
        store.partitions, columns);
    for (std::int32_t number = 0; number < store.partitions; ++number) {
        const Hash origin = first.origin(store.id, Partition{number});
        sql.exec(
            "insert into _checkpoint (partition, position, hash, incarnation, recorded_at) "
            "values ($1, 0, $2, $3, 0)",
            number, Bytes{std::string{origin.view()}}, Bytes{std::string{first.id.view()}});
    }
}

void require_store(const GenerationHead& head, const std::string& view, const std::string& place,
                   const StoreIdentity& store) {
    if (head.store == store.id && head.partitions == store.partitions) return;
    throw Mismatch("view " + view + " in " + place + " was built from store " +
                   to_string(head.store) + " with " + std::to_string(head.partitions) +
                   " partitions, but " + store.name + " is store " + to_string(store.id) +
                   " with " + std::to_string(store.partitions) +
                   "; give each store views of its own");
}

GenerationHead read_head(Sql& sql) {
    const SqlResult found = sql.query(
        "select version, generation, store, partitions, columns, retired, stopped from "
        "_generation");
    if (found.size() != 1) {
        throw Mismatch("a view's generation holds " + std::to_string(found.size()) +
                       " descriptions of itself instead of one; drop it and build it anew");
    }
    return {found.integer(0, 0), found.integer(0, 1), Uuid::from(found.bytes(0, 2)),
            found.integer(0, 3), found.text(0, 4),    found.integer(0, 5) != 0,
            found.text(0, 6)};
}

std::vector<Checkpoint> read_checkpoints(Sql& sql) {
    const SqlResult found = sql.query(
        "select partition, position, hash, incarnation, recorded_at from _checkpoint "
        "order by partition");
    std::vector<Checkpoint> all;
    for (std::size_t row = 0; row < found.size(); ++row) {
        if (found.integer(row, 0) != static_cast<std::int64_t>(row)) {
            throw Mismatch("a view's generation lacks the checkpoint of partition " +
                           std::to_string(row) + "; drop it and build it anew");
        }
        all.push_back({found.integer(row, 1), Hash::from(found.bytes(row, 2)),
                       Uuid::from(found.bytes(row, 3)),
                       Timestamp{std::chrono::microseconds{found.integer(row, 4)}}});
    }
    return all;
}

void remind(Sql& sql, Log& log) {
    const SqlResult found =
        sql.query("select partition, position, place from _checkpoint where place is not null");
    for (std::size_t row = 0; row < found.size(); ++row) {
        const Partition partition{static_cast<std::int32_t>(found.integer(row, 0))};
        log.remember({partition, found.integer(row, 1)}, found.integer(row, 2));
    }
}

Taken take_generation(Sql& sql, const std::string& view) {
    const char* statement =
        sql.dialect() == SqlDialect::postgresql
            ? "select retired, (select count(*) from (select 1 from _parked limit 1) as one), "
              "stopped from _generation for update of _generation"
            : "select retired, exists (select 1 from _parked), stopped from _generation";
    const SqlResult found = sql.query(statement);
    if (found.empty() || found.integer(0, 0) != 0) {
        throw Superseded(
            "a newer generation of view " + view +
            " took over; restart this projector, with the newer program if there is one");
    }
    return {found.integer(0, 1) != 0, found.text(0, 2)};
}

namespace {

Bytes raw(const Hash& hash) { return Bytes{std::string{hash.view()}}; }
Bytes raw(const Uuid& uuid) { return Bytes{std::string{uuid.view()}}; }
std::int64_t micros(Timestamp when) { return when.time_since_epoch().count(); }

std::int64_t move_one_by_one(Sql& sql, const std::vector<Move>& moves) {
    std::int64_t moved = 0;
    for (const Move& move : moves) {
        moved += sql.exec(
            "update _checkpoint set position = $1, hash = $2, incarnation = $3, recorded_at = $4, "
            "place = $5 where partition = $6 and position = $7 and hash = $8",
            move.to.position, raw(move.to.hash), raw(move.to.incarnation),
            micros(move.to.recorded_at), move.place, move.partition.value, move.from.position,
            raw(move.from.hash));
    }
    return moved;
}

// One round trip instead of one a partition.
std::int64_t move_together(Sql& sql, const std::vector<Move>& moves) {
    std::string text =
        "update _checkpoint c set position = m.position, hash = m.hash, incarnation = "
        "m.incarnation, "
        "recorded_at = m.recorded_at, place = m.place from (values ";
    std::vector<SqlValue> arguments;
    const auto argument = [&](SqlValue value, const char* type) {
        arguments.push_back(std::move(value));
        return "$" + std::to_string(arguments.size()) + "::" + type;
    };
    for (const Move& move : moves) {
        text += arguments.empty() ? "(" : ", (";
        text += argument(std::int64_t{move.partition.value}, "bigint") + ", ";
        text += argument(move.from.position, "bigint") + ", ";
        text += argument(raw(move.from.hash), "bytea") + ", ";
        text += argument(move.to.position, "bigint") + ", ";
        text += argument(raw(move.to.hash), "bytea") + ", ";
        text += argument(raw(move.to.incarnation), "bytea") + ", ";
        text += argument(micros(move.to.recorded_at), "bigint") + ", ";
        text += argument(move.place ? SqlValue{*move.place} : SqlValue{}, "bigint") + ")";
    }
    text +=
        ") as m (partition, old_position, old_hash, position, hash, incarnation, recorded_at, "
        "place) "
        "where c.partition = m.partition and c.position = m.old_position and c.hash = m.old_hash";
    return sql.run(text, arguments).affected;
}

}  // namespace

void move_checkpoints(Sql& sql, const std::string& view, const std::vector<Move>& moves) {
    if (moves.empty()) return;
    const std::int64_t moved = sql.dialect() == SqlDialect::postgresql
                                   ? move_together(sql, moves)
                                   : move_one_by_one(sql, moves);
    if (moved != static_cast<std::int64_t>(moves.size())) {
        throw Fenced(
            "another projector moved the checkpoints of view " + view + ": " +
            std::to_string(moves.size() - static_cast<std::size_t>(moved)) + " of " +
            std::to_string(moves.size()) +
            " partitions were not where this one had left them; it goes on behind the other");
    }
}

void set_stopped(Sql& sql, const std::string& reason) {
    sql.exec("update _generation set stopped = $1 where stopped <> $1",
             recordable(reason, reason.size()));
}

StorePositions seen(const Uuid& store, Partition partition, const Checkpoint& checkpoint,
                    std::size_t partitions) {
    StorePositions positions{store, checkpoint.incarnation, Positions{partitions}};
    if (checkpoint.position > 0) positions.positions.raise({partition, checkpoint.position});
    return positions;
}

}  // namespace recount::projections
