#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <recount/core/environment.hpp>

#include "append_plan.hpp"
#include "import_chunk.hpp"
#include "postgres_callers.hpp"
#include "postgres_heads.hpp"
#include "postgres_missed.hpp"
#include "postgres_pool.hpp"
#include "postgres_schemas.hpp"

namespace recount::postgres {

/// A deadlock, a serialisation failure, or a key that somebody else inserted between our look and
/// our write: the whole unit, decision and all, is done again and sees what the other did.
bool done_again(const std::string& state);

/// Appends groups to a store, exactly: what is in doubt is made certain by sending it again, what
/// was in another's way is done again. Thread-safe.
class Appender {
public:
    struct Options {
        /// How long a group whose outcome is in doubt is sent again before that is said.
        Duration patience = std::chrono::seconds{10};
        int attempts = 8;          // after deadlocks and the like
        AppendLimits limits = {};  // of what is decided again; the rest is checked before
        /// After so long nobody more is asked to decide again: others wait for the locks.
        Duration deciding = std::chrono::milliseconds{200};
    };

    /// `context.revision_of` is set here. `grown` is told of every committed growth of the log.
    Appender(Pool& pool, Schemas& schemas, Environment& environment, PlanContext context,
             std::int32_t living, std::function<void(const std::vector<PlannedHead>&)> grown,
             Options options);

    std::vector<AppendResult> append(AppendGroup group);
    /// Whether these are better written beside another such append than together with it: a single
    /// event for a partition that other processes write to.
    [[nodiscard]] bool goes_apart(std::span<const Append> appends) const;

    /// Appends in a caller's transaction and commits it, or rolls it back.
    AppendResult append_last(CallersTransaction& transaction, const Append& append);

    /// Copies a chunk's rows to where only one statement is left to be done, while the one `before`
    /// is written by another thread, or none is. Nothing when the heads are not to be known, others
    /// write to its partitions, or the server cannot be reached.
    std::unique_ptr<StagedChunk> stage(const ImportChunk& chunk, const StagedChunk* before);
    /// Writes a chunk of an import: see import_events(). `staged`: what stage() made of it, or
    /// null.
    AppendResult import_chunk(const ImportChunk& chunk, StagedChunk* staged);
    /// Returns when the standby has every outcome that was found by now.
    void confirm_found();

private:
    /// What is written in one transaction, on its way.
    struct Unit {
        const Touched& touched;
        std::function<AppendPlan(const KnownState&)> plan;
        AppendGroup group = {};  // none of an import
        bool guess = true;  // false after it was wrong once: then it locks, and nobody is starved
        /// That no command has an outcome yet, which the writing itself finds out. False after it
        /// failed.
        bool trust = true;
        bool ask = true;                         // what conflicts may be decided again; once
        std::vector<AppendResult> planned = {};  // what the last commit sent would come to
        std::vector<std::vector<AppendResult>> in_doubt = {};  // of commits never heard of
    };

    /// Does it again while others are in the way or its outcome is in doubt.
    std::vector<AppendResult> make_certain(
        Unit& unit, const std::function<std::optional<std::vector<AppendResult>>()>& attempt_once);
    std::optional<std::vector<AppendResult>> try_once(Unit& unit);
    std::optional<std::vector<AppendResult>> by_guess(Unit& unit, Session& session);
    std::optional<std::vector<AppendResult>> behind_others(Unit& unit, Session& session);
    std::optional<std::vector<AppendResult>> place(Unit& unit, const KnownState& known,
                                                   Session& session);
    std::vector<AppendResult> by_lock(Unit& unit, Session& session);
    /// A plan under locks in which not all is committed, and what it was made from.
    struct Look {
        AppendPlan plan;
        bool new_commands;  // as they were taken to be
        std::vector<Result>& answers;
        KnownState& known;
    };
    /// The plan once it is known what became of the commands, and what conflicted was decided again
    /// where that is asked for.
    AppendPlan look_closer(Unit& unit, Session& session, Look look, DecidedAgain& again);
    void decide_again(Unit& unit, Look& look, DecidedAgain& again);
    [[nodiscard]] bool stands_for(const Append& anew, const Append& before) const;
    struct StagedRows;
    std::optional<std::vector<AppendResult>> by_staging(Unit& unit, StagedRows& staged);
    AppendPlan copy_rows(const ImportChunk& chunk, const KnownState& known, Session& session);
    AppendPlan plan(AppendGroup group, const Touched& touched, const KnownState& known);
    void enter(CallersTransaction& transaction);
    std::optional<AppendResult> try_last(CallersTransaction& transaction, AppendGroup group,
                                         const Touched& touched, bool lock);
    std::vector<AppendResult> committed(AppendPlan plan);
    void back_off(int attempt);

    Pool& pool_;
    Schemas& schemas_;
    Environment& environment_;
    PlanContext context_;
    std::int32_t living_;
    std::function<void(const std::vector<PlannedHead>&)> grown_;
    Options options_;
    HeadCache heads_;
    std::once_flag placed_;
    std::string schema_;         // of the store
    std::int64_t database_ = 0;  // by its number in pg_database
};

}  // namespace recount::postgres
