#include "postgres_rows.hpp"

#include <recount/core/error.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace recount::postgres {

namespace {

constexpr std::string_view lock_partitions =
    "select partition, incarnation, position, hash, recorded_at from partition "
    "where partition = any($1::integer[]) order by partition for update";
constexpr std::string_view read_outcomes =
    "select command_id, bytes from outcome where command_id = any($1::text[])";
constexpr std::string_view read_versions =
    "select name, version, closed from stream where name = any($1::text[])";
constexpr std::string_view read_horizon = "select horizon from store";
// Rows of four kinds, with what lock_and_read() has in columns of its own.
constexpr std::string_view read_all =
    "select 0 as kind, partition::bigint as number, null as name, incarnation::bigint as other, "
    "position as value, hash as bytes, recorded_at as at "
    "from partition where partition = any($1::integer[]) "
    "union all select 1, null, command_id, null, null, bytes, null "
    "from outcome where command_id = any($2::text[]) "
    "union all select 2, null, name, closed::integer::bigint, version, null, null "
    "from stream where name = any($3::text[]) "
    "union all select 3, null, null, null, horizon, null, null from store "
    "order by kind, number";
constexpr std::string_view write_group =
    "select write_group($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
    "$17, "
    "$18, $19, $20, $21, $22, $23, $24)";

constexpr std::string_view write_staged =
    "insert into event (partition, position, stream, version, schema, envelope, hash, salt, "
    "payload) select partition, position, stream, version, schema, envelope, hash, salt, payload "
    "from pg_temp.recount_staged where (select write_group($1, $2, $3, $4, $5, $6, $7, $8, $9, "
    "$10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24))";

/// One column of rows, each made by `value` from an element.
template <class Rows, class Value>
Parameter column(Type type, const Rows& rows, const Value& value) {
    Array array{type};
    for (const auto& row : rows) array.add(value(row));
    return std::move(array).finish();
}

Parameter numbers_of(const std::vector<Partition>& partitions) {
    return column(Type::integer, partitions,
                  [](Partition partition) { return std::int64_t{partition.value}; });
}

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
    const auto fresh = std::count_if(plan.versions.begin(), plan.versions.end(),
                                     [](Row row) { return row.before.value == 0; });
    out.push_back(integer(static_cast<std::int32_t>(fresh)));
}

void add_events(std::vector<Parameter>& out, const AppendPlan& plan,
                const std::function<std::int32_t(std::string_view type)>& schema_id) {
    using Row = const PlannedEvent&;
    const auto& rows = plan.events;
    out.push_back(column(Type::integer, rows,
                         [](Row row) { return std::int64_t{row.position.partition.value}; }));
    out.push_back(column(Type::bigint, rows, [](Row row) { return row.position.n; }));
    out.push_back(column(Type::text, rows, [](Row row) { return row.stream; }));
    out.push_back(column(Type::bigint, rows, [](Row row) { return row.version.value; }));
    out.push_back(
        column(Type::integer, rows, [&](Row row) { return std::int64_t{schema_id(row.type)}; }));
    out.push_back(
        column(Type::bytea, rows, [](Row row) { return std::string_view{row.envelope}; }));
    out.push_back(column(Type::bytea, rows, [](Row row) { return row.hash.view(); }));
    out.push_back(column(Type::bytea, rows, [](Row row) { return std::string_view{row.salt}; }));
    out.push_back(column(Type::bytea, rows, [](Row row) { return row.payload; }));
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

}  // namespace

Parameter text_array(std::span<const std::string_view> values) {
    return column(Type::text, values, [](std::string_view value) { return value; });
}

Statement lock_only(const Touched& touched) {
    return {lock_partitions, {numbers_of(touched.partitions)}};
}

Statement read_at_once(const Touched& touched) {
    return {read_all,
            {numbers_of(touched.partitions), text_array(touched.command_ids),
             text_array(touched.streams)}};
}

KnownState known_at_once(const Touched& touched, const SqlResult& answer, std::int32_t living,
                         const std::string& store) {
    std::array<SqlResult, 4> answers;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        const auto& row = answer.rows[i];
        const auto kind = static_cast<std::size_t>(answer.integer(i, 0));
        auto& rows = answers.at(kind).rows;
        if (kind == 0) rows.push_back({row[1], row[3], row[4], row[5], row[6]});
        if (kind == 1) rows.push_back({row[2], row[5]});
        if (kind == 2) rows.push_back({row[2], row[4], row[3]});
        if (kind == 3) rows.push_back({row[4]});
    }
    return known_from(touched, answers, living, store);
}

std::vector<Statement> lock_and_read(const Touched& touched) {
    std::vector<Statement> statements;
    statements.push_back(lock_only(touched));
    statements.push_back({read_outcomes, {text_array(touched.command_ids)}});
    statements.push_back({read_versions, {text_array(touched.streams)}});
    // Behind the outcomes: one that was removed by then was removed behind a horizon seen here.
    statements.push_back({read_horizon, {}});
    return statements;
}

KnownState known_from(const Touched& touched, std::span<const SqlResult> answers,
                      std::int32_t living, const std::string& store) {
    const SqlResult& heads = answers[0];
    if (heads.size() != touched.partitions.size()) {
        throw Mismatch(
            fmt::format("{} has lost rows of its table partition; restore a backup", store));
    }
    KnownState known = KnownState::for_all(touched);
    for (std::size_t row = 0; row < heads.size(); ++row) {
        if (heads.integer(row, 1) != living) {
            throw Mismatch(fmt::format(
                "{} was restored and declared so since this program opened it; open it again",
                store));
        }
        known.heads[row] = head_from(heads, row, 2);
    }
    const SqlResult& outcomes = answers[1];
    for (std::size_t row = 0; row < outcomes.size(); ++row) {
        known.outcomes[touched.index_of_command(outcomes.text(row, 0))] =
            decode_outcome(outcomes.bytes(row, 1));
    }
    const SqlResult& versions = answers[2];
    for (std::size_t row = 0; row < versions.size(); ++row) {
        const std::size_t index = touched.index_of_stream(versions.text(row, 0));
        known.versions[index] = Version{versions.integer(row, 1)};
        known.closed[index] = versions.integer(row, 2) != 0;
    }
    known.horizon = time_from(answers[3].integer(0, 0));
    return known;
}

Statement write_plan(const AppendPlan& plan, const Touched& touched, const KnownState& known,
                     std::int32_t living,
                     const std::function<std::int32_t(std::string_view type)>& schema_id) {
    Statement statement{write_group, {}};
    statement.parameters.reserve(24);
    statement.parameters.push_back(integer(living));
    add_partitions(statement.parameters, plan, touched, known);
    add_streams(statement.parameters, plan);
    add_events(statement.parameters, plan, schema_id);
    add_outcomes(statement.parameters, plan);
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
    Statement statement =
        write_plan(plan, touched, known, living, [](std::string_view) { return 0; });
    statement.sql = write_staged;
    return statement;
}

LogHead head_from(const SqlResult& rows, std::size_t row, std::size_t column) {
    return {rows.integer(row, column), Hash::from(rows.bytes(row, column + 1)),
            time_from(rows.integer(row, column + 2))};
}

Timestamp time_from(std::int64_t microseconds) {
    return Timestamp{std::chrono::microseconds{microseconds}};
}

std::int64_t microseconds(Timestamp time) { return time.time_since_epoch().count(); }

}  // namespace recount::postgres
