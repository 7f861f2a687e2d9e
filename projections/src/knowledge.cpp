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
    failed_ = nullptr;
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
        return ask();
    } catch (const Error&) {
        const std::scoped_lock lock{mutex_};
        return known_;
    }
}

/// A log that did not answer is left alone for a while: a read may ask several times, and each
/// would wait as long as the log takes to say that it cannot be reached.
LogKnowledge::Known LogKnowledge::ask() {
    {
        const std::scoped_lock lock{mutex_};
        if (failed_ && log_.environment().clock.steady() - failed_at_ <= max_age_) {
            std::rethrow_exception(failed_);
        }
    }
    try {
        return learn(log_.heads());
    } catch (const Error&) {
        const std::scoped_lock lock{mutex_};
        known_.heads.clear();
        read_at_.reset();
        failed_ = std::current_exception();
        failed_at_ = log_.environment().clock.steady();
        throw;
    }
}

std::vector<Incarnation> LogKnowledge::incarnations(const std::vector<Uuid>& must_know) {
    const Known known = get();
    const bool all = std::all_of(must_know.begin(), must_know.end(), [&](const Uuid& id) {
        return std::any_of(known.incarnations.begin(), known.incarnations.end(),
                           [&](const Incarnation& one) { return one.id == id; });
    });
    if (all && !known.incarnations.empty()) return known.incarnations;
    return ask().incarnations;
}

CurrentGeneration::CurrentGeneration(std::shared_ptr<Place> place, std::string view,
                                     Environment& environment, Duration max_age)
    : place_(std::move(place)),
      view_(std::move(view)),
      environment_(environment),
      max_age_(max_age) {}

/// Has it been made? Its first projector may be just doing that. Errors count as yes.
bool CurrentGeneration::catalogue_made() {
    try {
        const auto pool = place_->catalogue(Place::Access::read);
        if (!pool) return false;
        const DatabasePool::Lease lease = pool->take();
        const auto sql = lease->begin(SqlMode::snapshot);
        const std::vector<std::string> there = tables(*sql);
        return std::find(there.begin(), there.end(), "generation") != there.end();
    } catch (const Mismatch&) {
        return place_->names().kind() != PlaceNames::Kind::postgresql;  // else it has no schema
    } catch (const Error&) {
        return true;
    }
}

std::optional<GenerationEntry> CurrentGeneration::look() {
    for (bool made = false;; made = true) {
        if (!catalogue_) catalogue_ = std::make_unique<Catalogue>(*place_, Place::Access::read);
        try {
            auto current = catalogue_->current(view_);
            if (!current) catalogue_.reset();  // it may come into being
            return current;
        } catch (const Error& error) {
            catalogue_.reset();
            if (made || error.retryable()) throw;
            if (!catalogue_made()) return std::nullopt;
        }
        // It may have been made just now.
    }
}

std::optional<ServedGeneration> CurrentGeneration::find(std::optional<ServedGeneration> served) {
    auto current = look();
    while (current && !(served && served->number == current->generation)) {
        served.reset();
        if (auto pool = place_->generation(view_, current->generation, Place::Access::read)) {
            return ServedGeneration{current->generation, std::move(pool)};
        }
        // It may have been replaced and dropped since the catalogue was asked.
        const std::int64_t gone = current->generation;
        current = look();
        if (current && current->generation == gone) return std::nullopt;
    }
    return current ? served : std::nullopt;
}

/// One thread asks the catalogue. Others take what is known or, when they cannot, what was found by
/// a look that began after they came, so that nobody waits for more than two of them.
std::optional<ServedGeneration> CurrentGeneration::get(bool look_now) {
    const std::chrono::nanoseconds arrived = environment_.clock.steady();
    std::unique_lock looking{looking_, std::try_to_lock};
    const bool waited = !looking.owns_lock();
    std::optional<ServedGeneration> served;
    {
        const std::scoped_lock lock{mutex_};
        const bool young = looked_at_ && arrived - *looked_at_ <= max_age_;
        if (served_ && !look_now && (young || waited)) return served_;
    }
    if (waited) looking.lock();
    {
        const std::scoped_lock lock{mutex_};
        if (waited && failed_ && failed_at_ >= arrived) std::rethrow_exception(failed_);
        if (waited && looked_at_ && *looked_at_ >= arrived) return served_;
        served = served_;
    }
    const std::chrono::nanoseconds now = environment_.clock.steady();
    try {
        served = find(std::move(served));
    } catch (const Error&) {
        const std::scoped_lock lock{mutex_};
        failed_ = std::current_exception();
        failed_at_ = environment_.clock.steady();
        throw;
    }
    const std::scoped_lock lock{mutex_};
    failed_ = nullptr;
    looked_at_ = now;
    return served_ = std::move(served);
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
