#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include <recount/eventstore/log.hpp>

#include "append_plan.hpp"

namespace recount::postgres {

/// Knows how far the log has come: at once from this process's own appends, soon from those of
/// others that are heard of, and at the latest by looking at the heads. However many wait, one of
/// them looks, at first every 5 ms and, while nothing happens, ever more seldom, down to once a
/// second. Thread-safe.
class Watch {
public:
    using ReadHeads = std::function<std::vector<LogHead>()>;

    Watch(Environment& environment, std::int32_t partitions, ReadHeads read_heads);

    void grown(const std::vector<PlannedHead>& heads);
    /// Somebody else's appends were heard of.
    void heard();
    /// See Log::wait().
    bool wait(const Positions& seen, Duration at_most, std::stop_token stop);

private:
    static constexpr Duration shortest = std::chrono::milliseconds{5};
    static constexpr Duration longest = std::chrono::seconds{1};

    bool beyond(const Positions& seen);
    bool look(const Positions& seen);

    Environment& environment_;
    ReadHeads read_heads_;
    std::unique_ptr<Signal> signal_;
    std::mutex mutex_;
    Positions known_;
    bool looking_ = false;
    Duration interval_ = shortest;
};

}  // namespace recount::postgres
