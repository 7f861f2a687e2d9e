#include "postgres_append.hpp"

#include <recount/core/error.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "append_log.hpp"
#include "postgres_missed.hpp"
#include "postgres_read.hpp"
#include "postgres_restore.hpp"
#include "postgres_rows.hpp"
#include "postgres_write.hpp"
#include "retention.hpp"
#include "store_base.hpp"

namespace recount::postgres {

namespace {

/// But for the place of a single event, which the server may have given it.
bool same(CommandOutcome sent, const CommandOutcome& found) {
    const bool single = found.streams.size() == 1 &&
                        found.streams.front().first == found.streams.front().last &&
                        sent.streams.size() == 1;
    if (single) place_at(sent, found.streams.front().first_position.n);
    return sent == found;
}

/// An outcome found now may be what was sent and never heard of: then nothing was repeated.
void claim_own(std::vector<AppendResult>& results, const std::vector<AppendResult>& planned) {
    for (std::size_t i = 0; i < results.size() && i < planned.size(); ++i) {
        if (results[i].kind != AppendResult::Kind::repeated) continue;
        if (planned[i].kind == AppendResult::Kind::committed &&
            same(*planned[i].outcome, *results[i].outcome)) {
            results[i].kind = AppendResult::Kind::committed;
        }
    }
}

bool any_repeated(const std::vector<AppendResult>& results) {
    return std::any_of(results.begin(), results.end(), [](const AppendResult& result) {
        return result.kind == AppendResult::Kind::repeated;
    });
}

/// An outcome that is found may not be on the standby yet, as when a commit was told to wait no
/// longer: a failover would lose it. The commit of a write behind it waits until both are there.
/// Where nobody waits for a standby nothing is written.
const Statement write_behind{
    "with behind as (update store set created_at = created_at "
    "where current_setting('synchronous_standby_names') <> '' returning true) select true",
    {}};

}  // namespace

bool done_again(const std::string& state) {
    return state == "40001" || state == "40P01" || state == "23505" || state == "RC001";
}

Appender::Appender(Pool& pool, Schemas& schemas, Environment& environment, PlanContext context,
                   std::int32_t living, std::function<void(const std::vector<PlannedHead>&)> grown,
                   Options options)
    : pool_(pool),
      schemas_(schemas),
      environment_(environment),
      context_(std::move(context)),
      living_(living),
      grown_(std::move(grown)),
      options_(options),
      heads_(context_.identity.partitions) {
    context_.revision_of = [this](std::string_view type) { return schemas_.of(type).revision; };
}

std::vector<AppendResult> Appender::append(AppendGroup group) {
    const Touched touched = touched_by(group, context_.identity.partitions);
    Unit unit{touched, [&](const KnownState& known) { return plan(group, touched, known); }, group};
    return make_certain(unit, [&] { return try_once(unit); });
}

std::vector<AppendResult> Appender::make_certain(
    Unit& unit, const std::function<std::optional<std::vector<AppendResult>>()>& attempt_once) {
    schemas_.require(unit.touched.types);
    std::optional<Deadline> patience;
    for (int attempt = 0;; ++attempt) {
        try {
            if (auto results = attempt_once()) {
                for (const auto& planned : unit.in_doubt) claim_own(*results, planned);
                return std::move(*results);
            }
            continue;  // a wrong guess has been told at once
        } catch (const OutcomeUnknown&) {
            if (!patience) patience.emplace(environment_, options_.patience);
            unit.in_doubt.push_back(std::move(unit.planned));
            if (patience->passed()) throw;
        } catch (const ServerError& error) {
            const bool again = done_again(error.state()) && attempt < options_.attempts;
            if (!again && unit.in_doubt.empty()) throw;
            if (!again && patience->passed()) throw OutcomeUnknown(error.what());
        } catch (const Unavailable& error) {
            if (unit.in_doubt.empty()) throw;
            if (patience->passed()) throw OutcomeUnknown(error.what());
        } catch (const Error& error) {
            // Whatever it is: of what is in doubt nobody may say that it was not done.
            if (unit.in_doubt.empty()) throw;
            throw OutcomeUnknown(error.what());
        }
        unit.guess = unit.trust = false;
        back_off(attempt);
    }
}

void Appender::back_off(int attempt) {
    const Duration most = std::chrono::milliseconds{1 << std::min(attempt, 8)};
    environment_.scheduler.sleep(
        std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::micro>(
            static_cast<double>(most.count()) * environment_.random.uniform())));
}

std::optional<std::vector<AppendResult>> Appender::try_once(Unit& unit) {
    // Until something is to be committed an old connection that turns out lost is simply replaced.
    return pool_.with_session([&](Session& session) -> std::optional<std::vector<AppendResult>> {
        if (unit.touched.partitions.empty()) {
            require_living(session, context_.identity.incarnation);
        } else {
            require_same_server(session, context_.identity.incarnation);
        }
        if (unit.guess) {
            unit.guess = false;
            if (auto results = by_guess(unit, session)) return results;
            if (auto results = behind_others(unit, session)) return results;
        }
        return by_lock(unit, session);
    });
}

AppendPlan Appender::plan(AppendGroup group, const Touched& touched, const KnownState& known) {
    return plan_append(group, touched, known, context_, environment_.clock.now(),
                       environment_.random);
}

std::vector<AppendResult> Appender::by_lock(Unit& unit, Session& session) {
    // Nearly all are. Where one is not, the write fails: an id so young has not lost its outcome.
    const bool new_commands =
        unit.trust && !unit.group.empty() && all_young(unit.group, environment_.clock.now());
    std::vector<Statement> reading = lock_and_read(unit.touched, new_commands);
    reading.insert(reading.begin(), {"begin", {}});
    const bool first_look = heads_.lacks(unit.touched.partitions);
    if (first_look) reading.push_back(heads_without_last_event(unit.touched.partitions));
    Unfinished transaction{session};
    auto answers = session.run_all(reading);
    answers.erase(answers.begin());
    if (first_look) {
        require_none(answers.back(), session.name());
        answers.pop_back();
    }
    KnownState known = known_from(unit.touched, answers, living_, session.name());
    heads_.read(unit.touched, known, session.name());
    DecidedAgain again;  // outlives the plan
    AppendPlan exact = unit.plan(known);
    if (!exact.commits_all()) {
        exact = look_closer(unit, session, {std::move(exact), new_commands, answers, known}, again);
    }
    if (exact.writes_nothing() && unit.in_doubt.empty() && !any_repeated(exact.results)) {
        end_with_missed(session, unit.group, exact.results);
        transaction.finish();
        return std::move(exact.results);
    }

    std::vector<Statement> writing;
    if (exact.writes_nothing()) {
        writing.push_back(write_behind);
    } else {
        writing.push_back(
            write_plan(exact, unit.touched, known, living_,
                       [this](std::string_view type) { return schemas_.of(type).id; }));
        if (auto closing = close_streams(exact)) writing.push_back(*std::move(closing));
    }
    writing.push_back({"commit", {}});
    unit.planned = exact.results;
    const auto written = session.run_and_commit(writing);
    transaction.finish();
    if (!has_written(written.front())) {
        throw Error(
            fmt::format("{} changed under its own locks; look for what else writes its tables",
                        session.name()));
    }
    return committed(std::move(exact));
}

AppendPlan Appender::look_closer(Unit& unit, Session& session, Look look, DecidedAgain& again) {
    // What became of a command comes before any other verdict on it.
    std::vector<Statement> looking;
    if (look.new_commands) looking = read_commands(unit.touched);
    const std::size_t commands = looking.size();
    const Missed missed{unit.group, look.plan.results,
                        [&unit](const Append& append) { return unit.ask && append.decide_again; }};
    missed.add_to(looking);
    std::vector<Result> found;
    if (!looking.empty()) found = session.run_all(looking);
    try {
        missed.take(std::span{found}.subspan(commands), session.name());
    } catch (const Divergence&) {
        unit.ask = false;
        for (AppendResult& result : look.plan.results) result.conflict.missed.clear();
    }
    if (look.new_commands) {
        look.answers.pop_back();
        std::move(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(commands),
                  std::back_inserter(look.answers));
        look.known = known_from(unit.touched, look.answers, living_, session.name());
        auto first = std::exchange(look.plan, unit.plan(look.known)).results;
        for (std::size_t i = 0; i < first.size(); ++i) {
            Conflict& conflict = look.plan.results[i].conflict;
            if (conflict.failed == first[i].conflict.failed) conflict = first[i].conflict;
        }
    }
    if (unit.ask) decide_again(unit, look, again);
    if (!look.plan.writes_nothing()) {
        // What is written may be more of the same streams.
        for (AppendResult& result : look.plan.results) result.conflict.missed.clear();
    }
    return std::move(look.plan);
}

void Appender::decide_again(Unit& unit, Look& look, DecidedAgain& again) {
    const auto may_stand = [this](const Append& anew, const Append& before) {
        return stands_for(anew, before);
    };
    const Deadline deadline{environment_, options_.deciding};
    unit.ask = std::ranges::none_of(look.plan.results, [](const AppendResult& result) {
        return result.kind == AppendResult::Kind::conflict;
    });
    if (!again.decide(unit.group, look.plan.results, may_stand, deadline)) return;
    AppendPlan anew = plan(again.group(), unit.touched, look.known);
    if (!again.settle(look.plan.results, std::move(anew.results))) return;
    anew.results = std::move(look.plan.results);
    look.plan = std::move(anew);
    for (const Append& append : again.appends()) log_decided_again(context_.identity.name, append);
}

bool Appender::stands_for(const Append& anew, const Append& before) const {
    check_append(anew, options_.limits);
    const auto touched = [this](const Append& append) {
        const Append* const one = &append;
        return touched_by({&one, 1}, context_.identity.partitions);
    };
    return anew.metadata.command_id == before.metadata.command_id &&
           anew.request == before.request && schemas_.know(touched(anew).types) &&
           std::ranges::includes(touched(before).streams, touched(anew).streams);
}

void Appender::confirm_found() {
    pool_.with_session([&](Session& session) {
        require_same_server(session, context_.identity.incarnation);
        return session.run_and_commit({&write_behind, 1});
    });
}

std::vector<AppendResult> Appender::committed(AppendPlan plan) {
    heads_.wrote(plan);
    if (!plan.heads.empty()) grown_(plan.heads);
    return std::move(plan.results);
}

}  // namespace recount::postgres
