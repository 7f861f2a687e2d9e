#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include <recount/eventstore/log.hpp>

#include "append_plan.hpp"

namespace recount::postgres {

/// What a store must be for somebody else's query to read its heads: whoever waits for the store
/// then need not.
class LearnsHeads {
public:
    virtual ~LearnsHeads() = default;
    /// `heads` are as stored, read by a query that was sent at `asked`; returns what the store's
    /// own heads() would have.
    virtual std::vector<LogHead> learn(std::vector<LogHead> heads,
                                       std::chrono::nanoseconds asked) = 0;
};

/// Knows how far the log has come: at once from this process's own appends, soon from those of
/// others that are heard of, and at the latest by looking at the heads. However many wait, one of
/// them looks, at first every 5 ms and, while nothing happens, ever more seldom, down to once a
/// second, and not while others read the heads as often. What it knows may be lost (a standby took
/// over that lagged): it is looked at again before somebody is told for long that there is more.
/// Thread-safe.
class Watch {
public:
    using ReadHeads = std::function<std::vector<LogHead>()>;

    Watch(Environment& environment, std::int32_t partitions, ReadHeads read_heads);

    void grown(const std::vector<PlannedHead>& heads);
    /// Somebody else's appends were heard of.
    void heard();
    /// Somebody else read the heads, by a query that was sent then, and will again.
    void told(const std::vector<LogHead>& heads, std::chrono::nanoseconds asked);
    /// See Log::wait().
    bool wait(const Positions& seen, Duration at_most, std::stop_token stop);

private:
    static constexpr Duration shortest = std::chrono::milliseconds{5};
    static constexpr Duration longest = std::chrono::seconds{1};
    static constexpr Duration believed = std::chrono::milliseconds{100};

    enum class More : std::uint8_t { no, perhaps, yes };
    More beyond(const Positions& seen);
    Duration until_look();
    /// Nothing: somebody else is looking.
    std::optional<bool> look(const Positions& seen);
    struct Look {
        std::chrono::nanoseconds asked;
        bool told;  // by somebody else
        bool more;  // for who looked
    };
    void learn(const std::vector<LogHead>& heads, const Look& look);

    Environment& environment_;
    ReadHeads read_heads_;
    std::unique_ptr<Signal> signal_;
    std::mutex mutex_;
    Positions known_;
    bool looking_ = false;
    Duration interval_ = shortest;
    std::optional<std::chrono::nanoseconds> looked_;  // when the heads were read last
    std::optional<std::chrono::nanoseconds> grew_;    // when this process appended last
    bool told_ = false;                               // by somebody else
};

}  // namespace recount::postgres
