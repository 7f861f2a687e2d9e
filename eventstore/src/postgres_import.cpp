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

/// In a transaction of a session of its own, until it is written or given up.
struct Appender::StagedRows final : StagedChunk {
    /// The rows end with it.
    struct Held {
        explicit Held(std::unique_ptr<Pool::Borrowed> borrowed)
            : session(std::move(borrowed)), transaction(**session) {}
        std::unique_ptr<Pool::Borrowed> session;
        Unfinished transaction;
    };

    /// Brings the heads of these partitions to where they will be behind this one.
    void advance(const std::vector<Partition>& partitions, KnownState& known_then) const {
        for (const PlannedHead& each : grown) {
            const auto at = std::lower_bound(partitions.begin(), partitions.end(), each.partition);
            if (at == partitions.end() || *at != each.partition) continue;
            known_then.heads[static_cast<std::size_t>(at - partitions.begin())] = each.head;
        }
    }

    std::unique_ptr<Held> held;  // taken by whoever writes
    KnownState known;            // the heads that it was planned on
    AppendPlan plan;             // the rest of it is taken by whoever writes it, but not these:
    std::vector<PlannedHead> grown;
};

/// While rows are copied into a table of the session's own nobody waits for them, however slow
/// their sender: a copy is not ended by any time-out. Only the statement behind it locks, compares
/// what the rows were made from, and inserts them, with the commit on its heels.
std::unique_ptr<StagedChunk> Appender::stage(const ImportChunk& chunk, const StagedChunk* before) {
    // Closing takes a statement more.
    const auto& types = chunk.touched.types;
    if (std::binary_search(types.begin(), types.end(), stream_closed_type)) return {};
    Touched heads_only;
    heads_only.partitions = chunk.touched.partitions;
    const auto& partitions = heads_only.partitions;
    try {
        schemas_.require(types);
        // Who makes rows ahead waits for nobody and leaves a session to those who write.
        auto session = pool_.try_borrow(before == nullptr ? 0 : 1);
        if (!session) return {};
        require_same_server(**session, context_.identity.incarnation);
        if (heads_.lacks(partitions)) {
            const Statement damaged = heads_without_last_event(partitions);
            require_none((*session)->run(damaged.sql, damaged.parameters), (*session)->name());
            heads_.seen(partitions, heads_of(**session, partitions));
        }
        auto known = heads_.guess({}, heads_only);
        if (!known) return {};
        if (before != nullptr) static_cast<const StagedRows*>(before)->advance(partitions, *known);
        auto staged = std::make_unique<StagedRows>();
        staged->held = std::make_unique<StagedRows::Held>(std::move(session));
        staged->plan = copy_rows(chunk, *known, **staged->held->session);
        staged->grown = staged->plan.heads;
        staged->known = *std::move(known);
        return staged;
    } catch (const Error&) {
        return {};  // whoever writes it meets the same, and says so
    }
}

AppendResult Appender::import_chunk(const ImportChunk& chunk, StagedChunk* staged) {
    const auto plan = [&](const KnownState& known) {
        return plan_import(chunk, known, context_, environment_.clock.now(), environment_.random);
    };
    Unit unit{chunk.touched, plan};
    const auto attempt_once = [&]() -> std::optional<std::vector<AppendResult>> {
        if (auto* const rows = static_cast<StagedRows*>(std::exchange(staged, nullptr))) {
            if (auto results = by_staging(unit, *rows)) return results;
        }
        return pool_.with_session([&](Session& session) {
            require_same_server(session, context_.identity.incarnation);
            return by_lock(unit, session);
        });
    };
    return std::move(make_certain(unit, attempt_once).front());
}

std::optional<std::vector<AppendResult>> Appender::by_staging(Unit& unit, StagedRows& staged) {
    // Given back whatever happens: there may be no other session for what comes then.
    const auto held = std::move(staged.held);
    const std::vector<Statement> writing{
        write_staged_plan(staged.plan, unit.touched, staged.known, living_), {"commit", {}}};
    unit.planned = staged.plan.results;
    try {
        const auto written = (**held->session).run_and_commit(writing);
        held->transaction.finish();
        if (has_written(written.front())) {
            staged.set_written();
            return committed(std::move(staged.plan));
        }
    } catch (const ServerError& error) {
        if (!done_again(error.state())) throw;
    } catch (const Unavailable&) {
        return {};  // it was lost while it waited
    }
    heads_.missed(unit.touched);
    return {};
}

AppendPlan Appender::copy_rows(const ImportChunk& chunk, const KnownState& known,
                               Session& session) {
    static const std::string script = fmt::format(
        "begin; set local idle_in_transaction_session_timeout = '1min'; "
        "create temp table if not exists recount_staged (like event) on commit delete rows; "
        "copy {} from stdin (format binary)",
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
