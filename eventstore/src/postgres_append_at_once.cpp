#include <recount/core/error.hpp>

#include <utility>

#include "postgres_append.hpp"
#include "postgres_write.hpp"
#include "retention.hpp"

/// Appends of one statement: on what this process last saw, or behind what others have written.
namespace recount::postgres {

std::optional<std::vector<AppendResult>> Appender::by_guess(Unit& unit, Session& session) {
    // Its statement does not look at the horizon.
    if (!all_young(unit.group, environment_.clock.now())) return {};
    const auto known = heads_.guess(unit.group, unit.touched);
    if (!known) return {};
    AppendPlan guessed = unit.plan(*known);
    // Only what the statement itself compares may be believed: it compares what is written.
    if (!guessed.commits_all()) return {};
    if (close_streams(guessed)) return {};  // rare, and more than one statement
    const Statement statement =
        write_plan(guessed, unit.touched, *known, living_,
                   [this](std::string_view type) { return schemas_.of(type).id; });
    unit.planned = guessed.results;
    try {
        const auto answers = session.run_and_commit({&statement, 1});
        if (has_written(answers.front())) return committed(std::move(guessed));
    } catch (const ServerError& error) {
        if (!done_again(error.state())) throw;
        unit.trust = false;
    }
    heads_.missed(unit.touched);
    return {};
}

bool Appender::goes_apart(std::span<const Append> appends) const {
    if (appends.size() != 1 || !places_one(appends.front())) return false;
    const Append* const one = &appends.front();
    const StreamName& stream = one->writes.front().stream;
    return heads_.shared(partition_of(stream, context_.identity.partitions), stream.full()) &&
           all_young({&one, 1}, environment_.clock.now());
}

std::optional<std::vector<AppendResult>> Appender::behind_others(Unit& unit, Session& session) {
    if (!unit.trust || !all_young(unit.group, environment_.clock.now())) return {};
    // Who made its event just before another's, and was behind it in the queue for the lock, would
    // put the earlier time behind the later: made again it fits.
    for (int attempt = 0; attempt < 3; ++attempt) {
        const auto known = heads_.behind_others(unit.group, unit.touched);
        if (!known) return {};
        const Partition partition = unit.touched.partitions.front();
        // The first event behind a fork follows from the fork, not from the head.
        const auto index = static_cast<std::size_t>(partition.value);
        if (known->heads.front().n <= context_.origins[index].n) return {};
        try {
            if (auto results = place(unit, *known, session)) return results;
        } catch (const ServerError& error) {
            if (!done_again(error.state())) throw;
            unit.trust = false;
            heads_.not_placed(unit.touched.partitions.front(), unit.touched.streams.front());
            return {};
        }
    }
    heads_.not_placed(unit.touched.partitions.front());
    return {};
}

std::optional<std::vector<AppendResult>> Appender::place(Unit& unit, const KnownState& known,
                                                         Session& session) {
    AppendPlan planned = unit.plan(known);
    if (!planned.commits_all()) return {};
    const Statement statement =
        write_unplaced(planned, known.heads.front(), living_,
                       [this](std::string_view type) { return schemas_.of(type).id; });
    unit.planned = planned.results;
    const auto answers = session.run_and_commit({&statement, 1});
    const auto end = placed_by(answers.front(), planned);
    if (!end) return {};
    PlannedHead& head = planned.heads.front();
    head.head = *end;
    place_at(*planned.results.front().outcome, end->n);
    heads_.placed(planned.versions.front(), head.partition, *end);
    grown_(planned.heads);
    return std::move(planned.results);
}

}  // namespace recount::postgres
