#include "postgres_rows.hpp"

#include <recount/core/error.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

#include "last_event.hpp"
#include "postgres_restore.hpp"

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
// Rows of four kinds, with what has columns of its own in the statements above.
constexpr std::string_view read_all =
    "select 0 as kind, partition::bigint as number, null as name, incarnation::bigint as other, "
    "position as value, hash as bytes, recorded_at as at "
    "from partition where partition = any($1::integer[]) "
    "union all select 1, null, name, closed::integer::bigint, version, null, null "
    "from stream where name = any($2::text[]) "
    "union all select 2, null, command_id, null, null, bytes, null "
    "from outcome where command_id = any($3::text[]) "
    "union all select 3, null, null, null, horizon, null, null from store "
    "order by kind, number";

template <class Rows>
LogHead head_in(const Rows& rows, std::size_t row, std::size_t column) {
    return {rows.integer(row, column), Hash::from(rows.bytes(row, column + 1)),
            time_from(rows.integer(row, column + 2))};
}

void require_all(std::size_t heads, std::size_t partitions, const std::string& store) {
    if (heads == partitions) return;
    throw Mismatch(fmt::format("{} has lost rows of its table partition; restore a backup", store));
}

/// The rows of a session's transaction, and of a caller's.
template <class Rows>
KnownState known_in(const Touched& touched, std::span<const Rows> answers, std::int32_t living,
                    const std::string& store) {
    const Rows& heads = answers[0];
    require_all(heads.size(), touched.partitions.size(), store);
    KnownState known = KnownState::for_all(touched);
    for (std::size_t row = 0; row < heads.size(); ++row) {
        if (heads.integer(row, 1) != living) {
            throw Mismatch(another_history(store));
        }
        known.heads[row] = head_in(heads, row, 2);
    }
    const Rows& versions = answers[1];
    for (std::size_t row = 0; row < versions.size(); ++row) {
        const std::size_t index = touched.index_of_stream(versions.text(row, 0));
        known.versions[index] = Version{versions.integer(row, 1)};
        known.closed[index] = versions.integer(row, 2) != 0;
    }
    if (answers.size() == 4) {
        const Rows& outcomes = answers[2];
        for (std::size_t row = 0; row < outcomes.size(); ++row) {
            const std::string_view id = outcomes.text(row, 0);
            known.outcomes[touched.index_of_command(id)] =
                decode_outcome(id, outcomes.bytes(row, 1));
        }
    }
    known.horizon = time_from(answers.back().integer(0, 0));
    return known;
}

}  // namespace

Parameter numbers_of(const std::vector<Partition>& partitions) {
    return column(Type::integer, partitions,
                  [](Partition partition) { return std::int64_t{partition.value}; });
}

Parameter text_array(std::span<const std::string_view> values) {
    return column(Type::text, values, [](std::string_view value) { return value; });
}

Statement lock_only(const Touched& touched) {
    return {lock_partitions, {numbers_of(touched.partitions)}};
}

Statement read_at_once(const Touched& touched) {
    return {read_all,
            {numbers_of(touched.partitions), text_array(touched.streams),
             text_array(touched.command_ids)}};
}

KnownState known_at_once(const Touched& touched, const SqlResult& answer, std::int32_t living,
                         const std::string& store) {
    std::array<SqlResult, 4> answers;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        const auto& row = answer.rows[i];
        const auto kind = static_cast<std::size_t>(answer.integer(i, 0));
        auto& rows = answers.at(kind).rows;
        if (kind == 0) rows.push_back({row[1], row[3], row[4], row[5], row[6]});
        if (kind == 1) rows.push_back({row[2], row[4], row[3]});
        if (kind == 2) rows.push_back({row[2], row[5]});
        if (kind == 3) rows.push_back({row[4]});
    }
    return known_in<SqlResult>(touched, answers, living, store);
}

std::vector<Statement> lock_and_read(const Touched& touched, bool new_commands) {
    std::vector<Statement> statements{lock_only(touched),
                                      {read_versions, {text_array(touched.streams)}}};
    if (!new_commands) statements.push_back({read_outcomes, {text_array(touched.command_ids)}});
    // Behind the outcomes: one that was removed by then was removed behind a horizon seen here.
    statements.push_back({read_horizon, {}});
    return statements;
}

std::vector<Statement> read_commands(const Touched& touched) {
    return {{read_outcomes, {text_array(touched.command_ids)}}, {read_horizon, {}}};
}

std::vector<LogHead> heads_of(Session& session, const std::vector<Partition>& partitions) {
    const std::array numbers{numbers_of(partitions)};
    const Result rows = session.run(
        "select position, hash, recorded_at from partition where partition = any($1::integer[]) "
        "order by partition",
        numbers);
    require_all(rows.size(), partitions.size(), session.name());
    std::vector<LogHead> heads;
    for (std::size_t row = 0; row < rows.size(); ++row) heads.push_back(head_from(rows, row, 0));
    return heads;
}

Statement heads_without_last_event(const std::vector<Partition>& partitions) {
    return {
        "select p.partition::bigint, p.position, coalesce(e.position, 0) from partition p "
        "left join lateral (select position, hash from event where partition = p.partition "
        "order by position desc limit 1) e on true where p.partition = any($1::integer[]) "
        "and (p.position <> coalesce(e.position, 0) or p.hash <> e.hash) order by p.partition",
        {numbers_of(partitions)}};
}

template <class Rows>
void require_none(const Rows& damaged, const std::string& store) {
    if (damaged.size() == 0) return;
    const Partition partition{static_cast<std::int32_t>(damaged.integer(0, 0))};
    head_is_not_that_of(damaged.integer(0, 2), {partition, damaged.integer(0, 1)}, store);
}
template void require_none(const Result&, const std::string&);
template void require_none(const SqlResult&, const std::string&);

KnownState known_from(const Touched& touched, std::span<const Result> answers, std::int32_t living,
                      const std::string& store) {
    return known_in(touched, answers, living, store);
}

LogHead head_from(const Result& rows, std::size_t row, std::size_t column) {
    return head_in(rows, row, column);
}

Timestamp time_from(std::int64_t microseconds) {
    return Timestamp{std::chrono::microseconds{microseconds}};
}

std::int64_t microseconds(Timestamp time) { return time.time_since_epoch().count(); }

}  // namespace recount::postgres
