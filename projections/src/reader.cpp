#include "reader.hpp"
#include "countable.hpp"

#include <algorithm>
#include <utility>

#include <recount/core/error.hpp>

namespace recount {

using projections::Snapshot;
using projections::Wanted;

namespace {

ViewOptions countable(ViewOptions options) {
    for (Duration* time :
         {&options.heads_age, &options.first_poll, &options.last_poll, &options.timeout}) {
        *time = projections::countable(*time);
    }
    return options;
}

}  // namespace

ViewReader::Impl::Impl(Log& log, bool is_store, ViewDefinition view, ViewOptions options)
    : log_(log),
      is_store_(is_store),
      view_(std::move(view)),
      options_(countable(std::move(options))),
      place_(projections::Place::at(options_.views, log.identity().id, options_.open,
                                    options_.timeout)),
      log_knowledge_(log, options_.heads_age),
      current_(place_, view_.name, log.environment(), options_.heads_age),
      turns_(log.environment(), options_.connections),
      moved_(projections::moved_signal(log.environment().scheduler, place_->key(), view_.name)) {
    check_definition(view_);
    if (view_.keyed()) columns_.emplace(*view_.row->GetDescriptor());
}

Wanted ViewReader::Impl::wanted(const Consistency& consistency, const Source& source) {
    const StoreIdentity& store = log_.identity();
    if (consistency.level() == Consistency::Level::session) {
        std::vector<Uuid> must_know;
        for (const StorePositions& seen : consistency.session()->token().of(store.id)) {
            must_know.push_back(seen.incarnation);
        }
        std::vector<Incarnation> incarnations;
        if (!must_know.empty()) incarnations = log_knowledge_.incarnations(must_know);
        return projections::wanted_by(*consistency.session(), store, incarnations, !is_store_,
                                      source.only, source.stream);
    }
    if (!is_store_) {
        throw InvalidArgument(
            "strong reads of view " + view_.name +
            " need the store itself, not a copy of its log; read within a session");
    }
    Wanted wanted{Positions{static_cast<std::size_t>(store.partitions)}, source.only,
                  source.stream};
    const auto known = log_knowledge_.newest();
    for (std::size_t number = 0; number < known.heads.size(); ++number) {
        const Partition partition{static_cast<std::int32_t>(number)};
        if (source.only && *source.only != partition) continue;
        if (known.heads[number].n > 0) wanted.positions.raise({partition, known.heads[number].n});
    }
    return wanted;
}

std::string ViewReader::Impl::judge_wanted(Wanted wanted, const Snapshot& snapshot) {
    // It may have stopped because what it shows is not what the log holds, whatever its
    // checkpoints.
    if (!snapshot.head.stopped.empty()) {
        return "view " + view_.name + ": its projector stopped: " + snapshot.head.stopped;
    }
    if (snapshot.checkpoints.empty() && wanted.empty()) return {};
    std::vector<Incarnation> incarnations;
    try {
        incarnations = log_knowledge_.incarnations(projections::seen_in(wanted, snapshot));
    } catch (const Unavailable&) {
        if (!wanted.empty()) throw;
        return {};  // nothing was asked for that the log would have to tell
    }
    const std::string unheard = projections::hear(wanted, log_.identity(), incarnations);
    if (!unheard.empty()) return "view " + view_.name + ": " + unheard;
    return projections::missing(view_.name, wanted, snapshot, log_.identity().id, incarnations);
}

std::string ViewReader::Impl::judge_bounded(const Consistency& consistency, const Source& source,
                                            const Snapshot& snapshot) {
    const auto known = log_knowledge_.newest();
    if (snapshot.checkpoints.size() != known.heads.size()) {
        return "view " + view_.name + ": its lag is unknown, it was never started";
    }
    Wanted shown{Positions{known.heads.size()}, source.only, source.stream};
    std::int64_t behind = 0;
    Duration age = known.age;  // what is not known of may be missing since then
    for (std::size_t number = 0; number < known.heads.size(); ++number) {
        const Partition partition{static_cast<std::int32_t>(number)};
        if (source.only && *source.only != partition) continue;
        const std::int64_t at = snapshot.checkpoints[number].position;
        if (at > 0) shown.positions.raise({partition, at});
        if (at >= known.heads[number].n) continue;
        behind += known.heads[number].n - at;
        const LogPage page = log_.read(partition, at, {.max_events = 1});
        // A head without its event: nothing says since when it is missing.
        if (page.events.empty()) {
            return "view " + view_.name + ", partition " + std::to_string(number) +
                   ": its lag is unknown, the log does not give the event behind position " +
                   std::to_string(at);
        }
        const Timestamp missing_since = page.events.front().at.recorded_at;
        age = std::max(age, Duration{log_.environment().clock.now() - missing_since});
    }
    // Parked events, and those of a lost history, are behind without limit.
    const std::string parked = judge_wanted(shown, snapshot);
    if (!parked.empty()) return parked;
    if (behind <= consistency.max_events() && age <= consistency.max_age()) return {};
    return "view " + view_.name + ": wanted at most " + std::to_string(consistency.max_events()) +
           " events and " + std::to_string(consistency.max_age().count()) + " µs behind, is " +
           std::to_string(behind) + " events and " + std::to_string(age.count()) + " µs behind";
}

ViewReader::Impl::Verdict ViewReader::Impl::verdict(const Consistency& consistency,
                                                    const std::function<std::string()>& missing) {
    try {
        return {missing()};
    } catch (const Unavailable& error) {
        if (!consistency.serves_stale()) throw;
        return {"how far view " + view_.name + " is behind is unknown: " + error.what(), false};
    }
}

ViewReader::Impl::Judge ViewReader::Impl::judge(const Consistency& consistency,
                                                const Source& source) {
    switch (consistency.level()) {
        case Consistency::Level::eventual:
            return [](const Snapshot&) { return Verdict{}; };
        case Consistency::Level::bounded:
            return [this, &consistency, &source](const Snapshot& snapshot) {
                return verdict(consistency, [&] {
                    return judge_bounded(consistency, source_in(source, snapshot), snapshot);
                });
            };
        case Consistency::Level::session:
        case Consistency::Level::strong:
            break;
    }
    // What is wanted was wanted when the request arrived; later heads are not waited for.
    Wanted wanted;
    const Verdict untold = verdict(consistency, [&] {
        wanted = this->wanted(consistency, source);
        return std::string{};
    });
    return [this, &consistency, &source, wanted, untold](const Snapshot& snapshot) {
        if (!untold.told) return untold;
        return verdict(consistency, [&] {
            const Source there = source_in(source, snapshot);
            const bool as_wanted = there.only == source.only;
            return judge_wanted(as_wanted ? wanted : this->wanted(consistency, there), snapshot);
        });
    };
}

ViewReader::Impl::Attempt ViewReader::Impl::attempt(const Judge& judge, bool force, bool look,
                                                    const Ask& ask) {
    Attempt made;
    const auto generation = current_.get(look);
    if (!generation) {
        made.verdict = judge(made.snapshot);
        return made;
    }
    bool opened = false;
    try {
        const auto turn = turns_.take(options_.timeout, view_.name);
        const auto lease = generation->pool->take();
        const auto sql = lease->begin(SqlMode::snapshot);
        made.snapshot.head = projections::read_head(*sql);
        made.retired = made.snapshot.head.retired;
        made.snapshot.checkpoints = projections::read_checkpoints(*sql);
        made.snapshot.parked = projections::parked_heads(*sql);
        made.served_by = lease->name();
        opened = true;
        require_store(made.snapshot.head, view_.name, lease->name(), log_.identity());
        if (made.retired && !look) return made;
        made.verdict = judge(made.snapshot);
        if (made.verdict.missing.empty() || !made.verdict.told || force) {
            ask(*sql, made.snapshot.head);
            made.asked = true;
        }
    } catch (const Error& error) {
        if (opened || error.retryable()) throw;
        // It may have been replaced and dropped since the catalogue was asked.
        const auto current = current_.get(true);
        if (!current || current->number == generation->number) throw;
        made.dropped = true;
    }
    return made;
}

/// A session that had seen what was lost could read nothing any more.
bool ViewReader::Impl::is_lost(const StorePositions& seen) {
    try {
        return !still_holds(seen, log_knowledge_.incarnations({seen.incarnation}));
    } catch (const Unavailable&) {
        return false;
    }
}

Served ViewReader::Impl::served(const Consistency& consistency, const Source& source,
                                const Attempt& attempt) {
    const StoreIdentity& store = log_.identity();
    Served served;
    served.generation = attempt.snapshot.head.generation;
    served.version = static_cast<int>(attempt.snapshot.head.version);
    served.served_by = attempt.served_by;
    served.positions = projections::shown(attempt.snapshot, store.id, {});
    if (attempt.verdict.told) {
        served.lag = projections::lag_of(attempt.snapshot.checkpoints, log_knowledge_.get().heads,
                                         log_.environment().clock.now());
    }
    served.why_stale = attempt.verdict.missing;
    if (served.why_stale.empty() && served.generation == 0) {
        served.why_stale = "view " + view_.name + " was never started; run its projector";
    }
    if (served.why_stale.empty() && consistency.level() == Consistency::Level::eventual) {
        if (!attempt.snapshot.head.stopped.empty()) {
            served.why_stale = "its projector stopped: " + attempt.snapshot.head.stopped;
        } else if (!served.lag.events) {
            served.why_stale = "the log's heads are unknown";
        } else {
            served.why_stale = projections::set_aside(attempt.snapshot, source.stream);
        }
    }
    if (served.why_stale.empty() && columns_ && served.generation > 0) {
        served.why_stale = columns_->lacking_in(attempt.snapshot.head.columns);
    }
    served.stale = !served.why_stale.empty();
    if (consistency.session() != nullptr) {
        for (const StorePositions& seen :
             projections::shown(attempt.snapshot, store.id, source.only)) {
            if (!is_lost(seen)) consistency.session()->saw(seen);
        }
    }
    return served;
}

Served ViewReader::Impl::read(const Consistency& consistency, const Source& source,
                              const Ask& ask) {
    Environment& environment = log_.environment();
    const std::chrono::nanoseconds deadline =
        environment.clock.steady() +
        std::max(projections::countable(consistency.wait()), Duration::zero());
    const Judge judged = judge(consistency, source);
    bool look = false;
    for (Duration poll = options_.first_poll;; poll = std::min(poll * 2, options_.last_poll)) {
        const std::uint64_t seen = moved_->count();
        const std::chrono::nanoseconds now = environment.clock.steady();
        const bool last = now >= deadline;
        const Attempt made = attempt(judged, last && consistency.serves_stale(), look, ask);
        if (made.dropped || (made.retired && !look)) {
            look = true;  // another generation took over
            continue;
        }
        const Verdict& verdict = made.verdict;
        if (verdict.missing.empty() || !verdict.told || made.asked ||
            (last && consistency.serves_stale())) {
            return served(consistency, source_in(source, made.snapshot), made);
        }
        if (last) {
            throw NotThereYet(verdict.missing +
                              (made.snapshot.head.stopped.empty()
                                   ? "; wait longer, or serve stale"
                                   : "; start it again when that is mended, or serve stale"));
        }
        const Duration left = std::chrono::ceil<Duration>(deadline - now);
        moved_->wait(seen, std::min(poll, left), {});
        look = true;
    }
}

}  // namespace recount
