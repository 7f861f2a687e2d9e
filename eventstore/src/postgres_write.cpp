#include "postgres_write.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

#include "postgres_rows.hpp"

namespace recount::postgres {

namespace {

constexpr std::string_view event_columns =
    "(partition, position, stream, version, schema, envelope, hash, salt, payload)";

/// Writes the events of one append to one stream, if its partition is as it was taken to be; no row
/// when it is not. Numbers and bytes are compared and written as they are, and no row is returned,
/// so that a single event, by far the most frequent append, costs what it would by hand. Types are
/// said, because within a caller's transaction nobody else says them.
std::string write_one(bool fresh, bool several) {
    return fmt::format(
        "with p as (update partition set position = $5::bigint, hash = $6::bytea, "
        "  recorded_at = $7::bigint where partition = $1::integer and position = $2::bigint "
        "  and hash = $3::bytea and incarnation = $4::integer returning 1), "
        "s as ({} returning 1 as done), "
        "o as (insert into outcome (command_id, kind, recorded_at, bytes) "
        "  select $11::text, $12::integer, $13::bigint, $14::bytea from p) "
        "insert into event {} {} where s.done is not null or stream_moved()",
        fresh ? "insert into stream (name, version) select $8::text, $10::bigint from p "
                "where $9::bigint = 0"
              : "update stream set version = $10::bigint from p where name = $8::text and "
                "version = $9::bigint and not closed",
        event_columns,
        several ? "select $1, $2 + n, $8, $9 + n, u.schema, u.envelope, u.hash, u.salt, u.payload "
                  "from p left join s on true, unnest($15::integer[], $16::bytea[], $17::bytea[], "
                  "$18::bytea[], $19::bytea[]) with ordinality "
                  "u (schema, envelope, hash, salt, payload, n)"
                : "select $1, $5, $8, $10, $15::integer, $16::bytea, $17::bytea, $18::bytea, "
                  "$19::bytea from p left join s on true");
}

/// Writes an event behind whoever wrote the one before: see write_unplaced(). The hash is that of
/// chain_hash(), the outcome's bytes end as encode_unplaced() says.
std::string write_behind_others(bool fresh) {
    return fmt::format(
        "with p as (update partition set position = position + 1, hash = sha256("
        "  'recount/event/1'::bytea || int4send($1::integer) || int8send(position + 1) || hash "
        "  || $14::bytea), recorded_at = $5::bigint where partition = $1::integer "
        "  and incarnation = $4::integer and recorded_at <= $5::bigint and (position > $2::bigint "
        "  or position = $2::bigint and hash = $3::bytea) returning position, hash), "
        "s as ({} returning 1 as done), "
        "u as (select $12::bytea || int8send(position) as fields from p), "
        "o as (insert into outcome (command_id, kind, recorded_at, bytes) "
        "  select $9::text, $10::integer, $11::bigint, fields || '\\x4a10'::bytea "
        "  || substr(sha256('recount/outcome/1'::bytea || fields), 1, 16) from u) "
        "insert into event {} select $1, p.position, $6, $8, $13::integer, $14, p.hash, "
        "  $15::bytea, $16::bytea from p left join s on true "
        "where s.done is not null or stream_moved() returning position, hash",
        fresh ? "insert into stream (name, version) select $6::text, $8::bigint from p "
                "where $7::bigint = 0"
              : "update stream set version = $8::bigint from p where name = $6::text and "
                "version = $7::bigint and not closed",
        event_columns);
}

/// Writes a planned group of appends, and only if every partition it touches is as the plan took it
/// to be: position, hash, incarnation; false, having written nothing, when one is not. Partitions
/// are locked in their order; their new heads are null where they stay as they are. `events`
/// selects the rows of the log.
std::string write_many(std::string_view events) {
    return fmt::format(
        "with l as materialized (select p.partition from partition p, "
        "  unnest($2::integer[], $3::bigint[], $4::bytea[]) u (partition, position, hash) "
        "  where p.partition = u.partition and p.position = u.position and p.hash = u.hash "
        "  and p.incarnation = $1::integer order by p.partition for update of p), "
        "held as materialized (select from l having count(*) = cardinality($2)), "
        "p as (update partition p set position = u.position, hash = u.hash, "
        "  recorded_at = u.recorded_at from held, "
        "  unnest($2, $5::bigint[], $6::bytea[], $7::bigint[]) "
        "  u (partition, position, hash, recorded_at) "
        "  where p.partition = u.partition and u.position is not null), "
        "n as (insert into stream (name, version) select u.name, u.version from held, "
        "  unnest($8::text[], $9::bigint[], $10::bigint[]) u (name, before, version) "
        "  where u.before = 0 on conflict do nothing returning 1), "
        "s as (update stream s set version = u.version from held, "
        "  unnest($8, $9, $10) u (name, before, version) "
        "  where s.name = u.name and s.version = u.before and u.before > 0 and not s.closed "
        "  returning 1), "
        "o as (insert into outcome (command_id, kind, recorded_at, bytes) select u.* from held, "
        "  unnest($11::text[], $12::integer[], $13::bigint[], $14::bytea[]) u), "
        "e as (insert into event {} {}) "
        "select case when not exists (select from held) then false "
        "when (select count(*) from n) + (select count(*) from s) = cardinality($8) then true "
        "else stream_moved() end",
        event_columns, events);
}
constexpr std::string_view events_sent =
    "select u.* from held, unnest($15::integer[], $16::bigint[], $17::text[], $18::bigint[], "
    "$19::integer[], $20::bytea[], $21::bytea[], $22::bytea[], $23::bytea[]) u";
const std::string events_staged =
    fmt::format("select t.* from {} t where exists (select from held)", staged_events);

void add_partitions(std::vector<Parameter>& out, const AppendPlan& plan, const Touched& touched,
                    const KnownState& known) {
    Array before{Type::bigint};
    Array before_hash{Type::bytea};
    Array position{Type::bigint};
    Array hash{Type::bytea};
    Array recorded_at{Type::bigint};
    auto grown = plan.heads.begin();
    for (std::size_t i = 0; i < touched.partitions.size(); ++i) {
        before.add(known.heads[i].n);
        before_hash.add(known.heads[i].hash.view());
        if (grown != plan.heads.end() && grown->partition == touched.partitions[i]) {
            position.add(grown->head.n);
            hash.add(grown->head.hash.view());
            recorded_at.add(microseconds(grown->head.recorded_at));
            ++grown;
        } else {
            position.add_null();
            hash.add_null();
            recorded_at.add_null();
        }
    }
    out.push_back(numbers_of(touched.partitions));
    for (Array* each : {&before, &before_hash, &position, &hash, &recorded_at}) {
        out.push_back(std::move(*each).finish());
    }
}

void add_streams(std::vector<Parameter>& out, const AppendPlan& plan) {
    using Row = const PlannedVersion&;
    out.push_back(column(Type::text, plan.versions, [](Row row) { return row.stream; }));
    out.push_back(column(Type::bigint, plan.versions, [](Row row) { return row.before.value; }));
    out.push_back(column(Type::bigint, plan.versions, [](Row row) { return row.version.value; }));
}

void add_contents(std::vector<Parameter>& out, const AppendPlan& plan, const SchemaId& schema_id) {
    using Row = const PlannedEvent&;
    const auto& rows = plan.events;
    out.push_back(
        column(Type::integer, rows, [&](Row row) { return std::int64_t{schema_id(row.type)}; }));
    out.push_back(
        column(Type::bytea, rows, [](Row row) { return std::string_view{row.envelope}; }));
    out.push_back(column(Type::bytea, rows, [](Row row) { return row.hash.view(); }));
    out.push_back(column(Type::bytea, rows, [](Row row) { return std::string_view{row.salt}; }));
    out.push_back(column(Type::bytea, rows, [](Row row) { return row.payload; }));
}

void add_events(std::vector<Parameter>& out, const AppendPlan& plan, const SchemaId& schema_id) {
    using Row = const PlannedEvent&;
    const auto& rows = plan.events;
    out.push_back(column(Type::integer, rows,
                         [](Row row) { return std::int64_t{row.position.partition.value}; }));
    out.push_back(column(Type::bigint, rows, [](Row row) { return row.position.n; }));
    out.push_back(column(Type::text, rows, [](Row row) { return row.stream; }));
    out.push_back(column(Type::bigint, rows, [](Row row) { return row.version.value; }));
    add_contents(out, plan, schema_id);
}

void add_outcomes(std::vector<Parameter>& out, const AppendPlan& plan) {
    // Sorted: two groups that bring the same ids must not wait for each other's in turn.
    std::vector<const PlannedOutcome*> rows;
    for (const PlannedOutcome& outcome : plan.outcomes) rows.push_back(&outcome);
    std::sort(rows.begin(), rows.end(), [](const auto* left, const auto* right) {
        return left->command_id < right->command_id;
    });
    using Row = const PlannedOutcome*;
    out.push_back(column(Type::text, rows, [](Row row) { return row->command_id; }));
    out.push_back(
        column(Type::integer, rows, [](Row row) { return static_cast<std::int64_t>(row->kind); }));
    out.push_back(
        column(Type::bigint, rows, [](Row row) { return microseconds(row->recorded_at); }));
    out.push_back(column(Type::bytea, rows, [](Row row) { return std::string_view{row->bytes}; }));
}

/// All but the events.
Statement group(std::string_view sql, const AppendPlan& plan, const Touched& touched,
                const KnownState& known, std::int32_t living) {
    Statement statement{sql, {}};
    statement.parameters.reserve(23);
    statement.parameters.push_back(integer(living));
    add_partitions(statement.parameters, plan, touched, known);
    add_streams(statement.parameters, plan);
    add_outcomes(statement.parameters, plan);
    return statement;
}

/// Whether write_one() can write it.
bool is_one(const AppendPlan& plan, const Touched& touched) {
    return touched.partitions.size() == 1 && plan.heads.size() == 1 && plan.versions.size() == 1 &&
           plan.outcomes.size() == 1;
}

Statement one(const AppendPlan& plan, const KnownState& known, std::int32_t living,
              const SchemaId& schema_id) {
    static const std::array statements{write_one(false, false), write_one(false, true),
                                       write_one(true, false), write_one(true, true)};
    const LogHead& before = known.heads.front();
    const LogHead& head = plan.heads.front().head;
    const PlannedVersion& stream = plan.versions.front();
    const PlannedOutcome& outcome = plan.outcomes.front();
    const bool several = plan.events.size() > 1;
    Statement statement{statements[(stream.before.value == 0 ? 2U : 0U) + (several ? 1U : 0U)], {}};
    auto& out = statement.parameters;
    out.reserve(19);
    out.push_back(integer(plan.heads.front().partition.value));
    out.push_back(bigint(before.n));
    out.push_back(bytea(before.hash.view()));
    out.push_back(integer(living));
    out.push_back(bigint(head.n));
    out.push_back(bytea(head.hash.view()));
    out.push_back(bigint(microseconds(head.recorded_at)));
    out.push_back(text(stream.stream));
    out.push_back(bigint(stream.before.value));
    out.push_back(bigint(stream.version.value));
    out.push_back(text(outcome.command_id));
    out.push_back(integer(static_cast<std::int32_t>(outcome.kind)));
    out.push_back(bigint(microseconds(outcome.recorded_at)));
    out.push_back(bytea(outcome.bytes));
    if (several) {
        add_contents(out, plan, schema_id);
    } else {
        const PlannedEvent& event = plan.events.front();
        out.push_back(integer(schema_id(event.type)));
        for (const std::string_view bytes : {std::string_view{event.envelope}, event.hash.view(),
                                             std::string_view{event.salt}, event.payload}) {
            out.push_back(bytea(bytes));
        }
    }
    return statement;
}

}  // namespace

Statement write_unplaced(const AppendPlan& plan, const LogHead& seen, std::int32_t living,
                         const SchemaId& schema_id) {
    static const std::array statements{write_behind_others(false), write_behind_others(true)};
    const PlannedVersion& stream = plan.versions.front();
    const PlannedOutcome& outcome = plan.outcomes.front();
    const PlannedEvent& event = plan.events.front();
    Statement statement{statements[stream.before.value == 0 ? 1U : 0U], {}};
    auto& out = statement.parameters;
    out.reserve(16);
    out.push_back(integer(event.position.partition.value));
    out.push_back(bigint(seen.n));
    out.push_back(bytea(seen.hash.view()));
    out.push_back(integer(living));
    out.push_back(bigint(microseconds(plan.heads.front().head.recorded_at)));
    out.push_back(text(stream.stream));
    out.push_back(bigint(stream.before.value));
    out.push_back(bigint(stream.version.value));
    out.push_back(text(outcome.command_id));
    out.push_back(integer(static_cast<std::int32_t>(outcome.kind)));
    out.push_back(bigint(microseconds(outcome.recorded_at)));
    out.push_back(bytea(encode_unplaced(*plan.results.front().outcome)));
    out.push_back(integer(schema_id(event.type)));
    for (const std::string_view bytes :
         {std::string_view{event.envelope}, std::string_view{event.salt}, event.payload}) {
        out.push_back(bytea(bytes));
    }
    return statement;
}

std::optional<LogHead> placed_by(const Result& answer, const AppendPlan& plan) {
    if (answer.empty()) return {};
    return LogHead{answer.integer(0, 0), Hash::from(answer.bytes(0, 1)),
                   plan.heads.front().head.recorded_at};
}

Statement write_plan(const AppendPlan& plan, const Touched& touched, const KnownState& known,
                     std::int32_t living, const SchemaId& schema_id) {
    if (is_one(plan, touched)) return one(plan, known, living, schema_id);
    static const std::string sql = write_many(events_sent);
    Statement statement = group(sql, plan, touched, known, living);
    add_events(statement.parameters, plan, schema_id);
    return statement;
}

std::optional<Statement> close_streams(const AppendPlan& plan) {
    std::vector<std::string_view> closed;
    for (const PlannedVersion& grown : plan.versions) {
        if (grown.closed) closed.push_back(grown.stream);
    }
    if (closed.empty()) return {};
    return Statement{"update stream set closed = true where name = any($1::text[]) returning true",
                     {text_array(closed)}};
}

Statement write_staged_plan(const AppendPlan& plan, const Touched& touched, const KnownState& known,
                            std::int32_t living) {
    static const std::string sql = write_many(events_staged);
    return group(sql, plan, touched, known, living);
}

}  // namespace recount::postgres
