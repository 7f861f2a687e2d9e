#include <recount/core/event.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "import_plan.hpp"
#include "postgres_append.hpp"
#include "postgres_copy.hpp"
#include "postgres_restore.hpp"
#include "postgres_rows.hpp"
#include "postgres_write.hpp"

namespace recount::postgres {

namespace {

constexpr std::size_t copy_at_once = std::size_t{1} << 16;

void add_row(CopyRows& out, const PlannedEvent& row, std::int32_t schema_id) {
    out.row(9);
    out.integer(row.position.partition.value);
    out.bigint(row.position.n);
    out.bytes(row.stream);
    out.bigint(row.version.value);
    out.integer(schema_id);
    out.bytes(row.envelope);
    out.bytes(row.hash.view());
    out.bytes(row.salt);
    out.bytes(row.payload);
}

}  // namespace

AppendResult Appender::import_chunk(const ImportChunk& chunk) {
    const auto plan = [&](const KnownState& known) {
        return plan_import(chunk, known, context_, environment_.clock.now(), environment_.random);
    };
    Unit unit{chunk.touched, plan};
    const auto attempt_once = [&] {
        return pool_.with_session(
            [&](Session& session) -> std::optional<std::vector<AppendResult>> {
                require_same_server(session, context_.identity.incarnation);
                if (fast_ && std::exchange(unit.guess, false)) {
                    if (auto results = by_staging(unit, chunk, session)) return results;
                }
                return by_lock(unit, session);
            });
    };
    return std::move(make_certain(unit, attempt_once).front());
}

/// While rows are copied into a table of the session's own nobody waits for them, however slow
/// their sender: a copy is not ended by any time-out. Only the statement behind it locks, compares
/// what the rows were made from, and inserts them, with the commit on its heels.
std::optional<std::vector<AppendResult>> Appender::by_staging(Unit& unit, const ImportChunk& chunk,
                                                              Session& session) {
    Touched heads_only;
    heads_only.partitions = chunk.touched.partitions;
    const auto known = heads_.guess({}, heads_only);
    // Closing takes a statement more.
    const auto& types = chunk.touched.types;
    if (!known || std::binary_search(types.begin(), types.end(), stream_closed_type)) return {};

    Unfinished transaction{session};
    AppendPlan guessed = stage(chunk, *known, session);
    const std::vector<Statement> writing{write_staged_plan(guessed, chunk.touched, *known, living_),
                                         {"commit", {}}};
    unit.planned = guessed.results;
    try {
        const auto written = session.run_and_commit(writing);
        transaction.finish();
        if (has_written(written.front())) {
            ++hits_;
            return committed(std::move(guessed));
        }
    } catch (const ServerError& error) {
        if (!done_again(error.state())) throw;
    }
    ++misses_;
    heads_.missed(heads_only);
    return {};
}

AppendPlan Appender::stage(const ImportChunk& chunk, const KnownState& known, Session& session) {
    static const std::string script = fmt::format(
        "begin; create temp table if not exists recount_staged (like event) "
        "on commit delete rows; copy {} from stdin (format binary)",
        staged_events);
    std::vector<std::int32_t> schema_ids;
    for (const std::string_view type : chunk.touched.types) {
        schema_ids.push_back(schemas_.of(type).id);
    }
    std::optional<ImportPlanner> planner;
    PlannedEvent row;
    std::size_t made = 0;
    session.copy(script, [&](std::string& bytes) {
        CopyRows out{bytes};
        if (!planner) {
            planner.emplace(chunk, known, context_, environment_.clock.now(), environment_.random);
            out.begin();
        }
        while (bytes.size() < copy_at_once) {
            if (!planner->next(row)) {
                out.end();
                return false;
            }
            add_row(out, row, schema_ids[chunk.type[made++]]);
        }
        return true;
    });
    return planner->finish();
}

}  // namespace recount::postgres
