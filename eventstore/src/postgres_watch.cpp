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
    {
        const std::lock_guard lock{mutex_};
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

bool Watch::beyond(const Positions& seen) {
    const std::lock_guard lock{mutex_};
    return !seen.cover(known_);
}

bool Watch::wait(const Positions& seen, Duration at_most, std::stop_token stop) {
    const Deadline deadline{environment_, at_most};
    for (;;) {
        const std::uint64_t count = signal_->count();
        if (beyond(seen)) return true;
        // Who does not wait wants to know now.
        const bool due = at_most <= Duration{0} || until_look() <= Duration{0};
        if (due && look(seen)) return true;
        if (deadline.passed() || stop.stop_requested()) return false;
        const Duration pause = std::max(until_look(), Duration{1});
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

bool Watch::look(const Positions& seen) {
    {
        const std::lock_guard lock{mutex_};
        if (looking_) return false;
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
    {
        const std::lock_guard lock{mutex_};
        looking_ = false;
        looked_ = asked;
        told_ = false;
    }
    learn(heads);
    return any_beyond(heads, seen);
}

void Watch::told(const std::vector<LogHead>& heads, std::chrono::nanoseconds asked) {
    {
        const std::lock_guard lock{mutex_};
        looked_ = asked;
        told_ = true;
    }
    learn(heads);
}

void Watch::learn(const std::vector<LogHead>& heads) {
    bool moved = false;
    {
        const std::lock_guard lock{mutex_};
        for (std::size_t i = 0; i < heads.size(); ++i) {
            const Position head{Partition{static_cast<std::int32_t>(i)}, heads[i].n};
            if (known_.cover(head)) continue;
            known_.raise(head);
            moved = true;
        }
        interval_ = moved ? shortest : std::min(longest, interval_ + interval_ / 2);
    }
    if (moved) signal_->raise();
}

}  // namespace recount::postgres
