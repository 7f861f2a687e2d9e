#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "backoff.hpp"

namespace recount::projections {

/// Partitions that a log does not give: when each is to be tried again, and what was said of it.
/// It lasts from pass to pass. One thread at a time.
class Outages {
public:
    Outages(Log& log, const ProjectorOptions& options) : log_(log), options_(options) {}

    /// Is it to be read?
    [[nodiscard]] bool due(Partition partition) const;
    /// Reading it failed after so long. The others wait as long each time, so it is tried again
    /// when several times that have gone by.
    void failed(Partition partition, Duration after, const std::string& why);
    void worked(Partition partition);
    /// Until the first of those that failed is to be tried again; nothing when none did.
    [[nodiscard]] std::optional<Duration> left() const;

    /// Heads show more than reads give: told once, when patience is over.
    void missing(const Position& last, std::int64_t head);
    void complete(Partition partition) { missing_.erase(partition); }

private:
    struct Missing {
        std::chrono::nanoseconds since;  // by the steady clock
        std::int64_t last = 0;
        bool told = false;
    };
    [[nodiscard]] std::string name(Partition partition) const;

    Log& log_;
    const ProjectorOptions& options_;
    std::map<Partition, Backoff> failed_;
    std::map<Partition, Missing> missing_;
};

}  // namespace recount::projections
