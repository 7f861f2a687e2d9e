#include "knowledge.hpp"

#include <algorithm>
#include <utility>

#include <recount/core/error.hpp>
#include <recount/eventstore/newest_heads.hpp>

namespace recount::projections {

LogKnowledge::Known LogKnowledge::learn(std::vector<LogHead> heads) {
    Known known{std::move(heads), log_.incarnations(), {}};
    const std::scoped_lock lock{mutex_};
    known_ = known;
    read_at_ = log_.environment().clock.steady();
    return known;
}

LogKnowledge::Known LogKnowledge::newest() {
    auto told = newest_heads(log_);
    Known known = learn(std::move(told.heads));
    known.age = told.age;
    return known;
}

LogKnowledge::Known LogKnowledge::get() {
    {
        const std::scoped_lock lock{mutex_};
        if (read_at_ && log_.environment().clock.steady() - *read_at_ <= max_age_) return known_;
    }
    try {
        return learn(log_.heads());
    } catch (const Error&) {
        const std::scoped_lock lock{mutex_};
        known_.heads.clear();
        return known_;
    }
}

std::vector<Incarnation> LogKnowledge::incarnations(const std::vector<Uuid>& must_know) {
    const Known known = get();
    const bool all = std::all_of(must_know.begin(), must_know.end(), [&](const Uuid& id) {
        return std::any_of(known.incarnations.begin(), known.incarnations.end(),
                           [&](const Incarnation& one) { return one.id == id; });
    });
    if (all && !known.incarnations.empty()) return known.incarnations;
    return learn(log_.heads()).incarnations;
}

CurrentGeneration::CurrentGeneration(std::shared_ptr<Place> place, std::string view,
                                     Environment& environment, Duration max_age)
    : place_(std::move(place)),
      view_(std::move(view)),
      environment_(environment),
      max_age_(max_age) {}

std::optional<GenerationEntry> CurrentGeneration::look() {
    if (!catalogue_) catalogue_ = std::make_unique<Catalogue>(*place_, Place::Access::read);
    try {
        auto current = catalogue_->current(view_);
        if (!current) catalogue_.reset();  // it may come into being
        return current;
    } catch (const Error& error) {
        catalogue_.reset();
        if (error.retryable()) throw;
        return std::nullopt;  // no catalogue yet, or one that is just being made
    }
}

std::optional<ServedGeneration> CurrentGeneration::get(bool look_now) {
    const std::scoped_lock lock{mutex_};
    const std::chrono::nanoseconds now = environment_.clock.steady();
    if (served_ && !look_now && looked_at_ && now - *looked_at_ <= max_age_) return served_;
    auto current = look();
    looked_at_ = now;
    while (current && !(served_ && served_->number == current->generation)) {
        served_.reset();
        if (auto pool = place_->generation(view_, current->generation, Place::Access::read)) {
            served_ = ServedGeneration{current->generation, std::move(pool)};
            break;
        }
        // It may have been replaced and dropped since the catalogue was asked.
        const std::int64_t gone = current->generation;
        current = look();
        if (current && current->generation == gone) return served_;
    }
    if (!current) served_.reset();
    return served_;
}

Lag lag_of(const std::vector<Checkpoint>& checkpoints, const std::vector<LogHead>& heads,
           Timestamp now) {
    Lag lag;
    if (checkpoints.empty() || heads.size() != checkpoints.size()) return lag;
    lag.events = 0;
    lag.time = Duration::zero();
    for (std::size_t number = 0; number < heads.size(); ++number) {
        const std::int64_t behind =
            std::max<std::int64_t>(0, heads[number].n - checkpoints[number].position);
        lag.partitions.push_back(behind);
        *lag.events += behind;
        if (behind == 0) continue;
        if (checkpoints[number].position == 0) {
            lag.time.reset();  // nothing says when the first event was
        } else if (lag.time) {
            lag.time = std::max(*lag.time, Duration{now - checkpoints[number].recorded_at});
        }
    }
    return lag;
}

}  // namespace recount::projections
