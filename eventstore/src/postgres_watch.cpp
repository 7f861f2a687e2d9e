#include "postgres_watch.hpp"

#include <algorithm>

#include "store_base.hpp"

namespace recount::postgres {

Watch::Watch(Environment& environment, std::int32_t partitions, ReadHeads read_heads)
    : environment_(environment),
      read_heads_(std::move(read_heads)),
      signal_(environment.scheduler.signal()),
      known_(static_cast<std::size_t>(partitions)) {}

void Watch::grown(const std::vector<PlannedHead>& heads) {
    const auto now = environment_.clock.steady();
    {
        const std::lock_guard lock{mutex_};
        grew_ = now;
        for (const PlannedHead& each : heads) known_.raise(Position{each.partition, each.head.n});
        interval_ = shortest;
    }
    signal_->raise();
}

void Watch::heard() {
    {
        const std::lock_guard lock{mutex_};
        interval_ = shortest;
    }
    signal_->raise();
}

Watch::More Watch::beyond(const Positions& seen) {
    const std::lock_guard lock{mutex_};
    if (seen.cover(known_)) return More::no;
    const auto fresh = [oldest = environment_.clock.steady() - believed](const auto& time) {
        return time && *time >= oldest;
    };
    return fresh(grew_) || fresh(looked_) ? More::yes : More::perhaps;
}

bool Watch::wait(const Positions& seen, Duration at_most, std::stop_token stop) {
    const Deadline deadline{environment_, at_most};
    for (;;) {
        const std::uint64_t count = signal_->count();
        const More more = beyond(seen);
        if (more == More::yes) return true;
        // Who does not wait wants to know now.
        const bool due =
            more == More::perhaps || at_most <= Duration{0} || until_look() <= Duration{0};
        const std::optional<bool> found = due ? look(seen) : false;
        if (found && *found) return true;
        // Who looks may have asked before the caller did.
        if (!found && at_most <= Duration{0}) return any_beyond(read_heads_(), seen);
        const bool untold = more == More::perhaps && !found;
        if (deadline.passed() || stop.stop_requested()) return untold;
        const Duration pause = untold ? shortest : std::max(until_look(), Duration{1});
        signal_->wait(count, std::min(pause, deadline.left()), stop);
    }
}

Duration Watch::until_look() {
    const std::lock_guard lock{mutex_};
    if (looking_) return interval_;
    if (!looked_) return Duration{0};
    // Who reads them as often, too, comes first.
    const Duration pause = told_ ? interval_ + interval_ / 2 : interval_;
    const auto left = *looked_ + pause - environment_.clock.steady();
    return std::chrono::ceil<Duration>(left);
}

std::optional<bool> Watch::look(const Positions& seen) {
    {
        const std::lock_guard lock{mutex_};
        if (looking_) return {};
        looking_ = true;
    }
    const auto asked = environment_.clock.steady();
    std::vector<LogHead> heads;
    try {
        heads = read_heads_();
    } catch (...) {
        const std::lock_guard lock{mutex_};
        looking_ = false;
        throw;
    }
    const bool more = any_beyond(heads, seen);
    learn(heads, {.asked = asked, .told = false, .more = more});
    return more;
}

void Watch::told(const std::vector<LogHead>& heads, std::chrono::nanoseconds asked) {
    learn(heads, {.asked = asked, .told = true, .more = false});
}

void Watch::learn(const std::vector<LogHead>& heads, const Look& look) {
    bool moved = false;
    {
        const std::lock_guard lock{mutex_};
        // Else what is known may have been committed since this was asked.
        const bool newest = (!looked_ || look.asked >= *looked_) && (!grew_ || look.asked > *grew_);
        looked_ = looked_ ? std::max(*looked_, look.asked) : look.asked;
        told_ = look.told;
        if (!look.told) looking_ = false;
        for (std::size_t i = 0; i < heads.size(); ++i) {
            const Position head{Partition{static_cast<std::int32_t>(i)}, heads[i].n};
            moved = moved || !known_.cover(head);
            if (newest) {
                known_.set(head);
            } else {
                known_.raise(head);
            }
        }
        interval_ = moved || look.more ? shortest : std::min(longest, interval_ + interval_ / 2);
    }
    if (moved) signal_->raise();
}

}  // namespace recount::postgres
