#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <recount/projections/view.hpp>

#include "generation.hpp"

namespace recount::projections {

/// What a reader knows of the log: read anew when it is older than allowed. Thread-safe.
class LogKnowledge {
public:
    LogKnowledge(Log& log, Duration max_age) : log_(log), max_age_(max_age) {}

    struct Known {
        std::vector<LogHead> heads;  // empty: unknown
        std::vector<Incarnation> incarnations;
        Duration age{};  // of the heads at most, when they are newest()
    };
    /// What is known; unknown heads when the log cannot be reached.
    Known get();
    /// With everything that was committed before. Throws Unavailable where that cannot be told.
    Known newest();
    /// Read anew when one of these incarnations is not among the known ones. Throws Unavailable
    /// when none are known and the log cannot be reached.
    std::vector<Incarnation> incarnations(const std::vector<Uuid>& must_know);

private:
    Known learn(std::vector<LogHead> heads);
    Known ask();

    Log& log_;
    Duration max_age_;
    std::mutex mutex_;
    Known known_;
    std::optional<std::chrono::nanoseconds> read_at_;
    std::exception_ptr failed_;  // the last time
    std::chrono::nanoseconds failed_at_{};
};

/// The generation a reader is served from: opened once, replaced when another is current.
struct ServedGeneration {
    std::int64_t number = 0;
    std::shared_ptr<DatabasePool> pool;
};

/// Finds the current generation of a view. Thread-safe.
class CurrentGeneration {
public:
    CurrentGeneration(std::shared_ptr<Place> place, std::string view, Environment& environment,
                      Duration max_age);
    /// Nothing: the view was never started. `look`: asks the catalogue however lately it was asked.
    std::optional<ServedGeneration> get(bool look);

private:
    std::optional<GenerationEntry> look();
    bool catalogue_made();
    std::optional<ServedGeneration> find(std::optional<ServedGeneration> served);

    std::shared_ptr<Place> place_;
    std::string view_;
    Environment& environment_;
    Duration max_age_;
    std::mutex looking_;
    std::unique_ptr<Catalogue> catalogue_;  // of who is looking

    std::mutex mutex_;  // of what follows
    std::optional<ServedGeneration> served_;
    std::optional<std::chrono::nanoseconds> looked_at_;
    std::exception_ptr failed_;  // of the last look
    std::chrono::nanoseconds failed_at_{};
};

/// How far checkpoints are behind heads.
Lag lag_of(const std::vector<Checkpoint>& checkpoints, const std::vector<LogHead>& heads,
           Timestamp now);

}  // namespace recount::projections
