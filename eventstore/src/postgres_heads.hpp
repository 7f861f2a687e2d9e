#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "append_plan.hpp"

namespace recount::postgres {

/// What this process last saw of the heads and streams it appends to, so that the common append is
/// one statement. Only ever compared by that statement, never trusted. Thread-safe.
class HeadCache {
public:
    explicit HeadCache(std::int32_t partitions)
        : partitions_(static_cast<std::size_t>(partitions)) {}

    /// What the store holds if nobody else has written since; nothing when it is not known or
    /// others write to one of the partitions, so that locking at once is cheaper.
    std::optional<KnownState> guess(AppendGroup group, const Touched& touched) const;

    /// Whether this process has not seen all these heads yet.
    bool lacks(const std::vector<Partition>& partitions) const;
    /// Heads that were read without locks, for those it lacks.
    void seen(const std::vector<Partition>& partitions, const std::vector<LogHead>& heads);

    /// What was read under locks; learns as well whether a guess would have been right. Throws
    /// Divergence when a partition ends before, or otherwise than, this process saw it end.
    void read(const Touched& touched, const KnownState& known, const std::string& store);
    void wrote(const AppendPlan& plan);
    /// A guess was wrong.
    void missed(const Touched& touched);

private:
    static constexpr int quiet_enough = 3;
    struct Cached {
        std::optional<LogHead> head;
        /// So many looks in a row found what we left there: nobody else writes.
        int quiet = quiet_enough;
        std::unordered_map<std::string, Version> versions;
    };
    static constexpr std::size_t max_versions = 4096;  // a partition

    Cached& of(Partition partition) {
        return partitions_[static_cast<std::size_t>(partition.value)];
    }
    void learn(Partition partition, std::string_view stream, Version version);

    mutable std::mutex mutex_;
    std::vector<Cached> partitions_;
};

}  // namespace recount::postgres
