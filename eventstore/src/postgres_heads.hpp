#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "append_plan.hpp"

namespace recount::postgres {

/// Whether it is a single event, at a version that it says itself, that closes no stream: the
/// server can give it its place.
bool places_one(const Append& append);

/// What this process last saw of the heads and streams it appends to, so that the common append is
/// one statement. Only ever compared by that statement, never trusted. Thread-safe.
class HeadCache {
public:
    explicit HeadCache(std::int32_t partitions)
        : partitions_(static_cast<std::size_t>(partitions)) {}

    /// What the store holds if nobody else has written since; nothing when it is not known or
    /// others write to one of the partitions, so that locking at once is cheaper.
    std::optional<KnownState> guess(AppendGroup group, const Touched& touched) const;

    /// What the store held when this process last saw the end of the partition that the group, an
    /// append of a single event, goes to, with its stream at the version that it expects. The
    /// server may put it behind whatever others have written since. Nothing when the group is
    /// another, nobody else seems to write there, or that failed of late.
    std::optional<KnownState> behind_others(AppendGroup group, const Touched& touched) const;
    /// Whether others write to this partition, and the server may place an event of this stream.
    bool shared(Partition partition, std::string_view stream) const;

    /// Whether this process has not seen all these heads yet.
    bool lacks(const std::vector<Partition>& partitions) const;
    /// Heads that were read without locks, for those it lacks.
    void seen(const std::vector<Partition>& partitions, const std::vector<LogHead>& heads);

    /// False for what was read without locks and ends before, or otherwise than, this process saw
    /// it end.
    bool may_be(const Touched& touched, const KnownState& known) const;
    /// What was read under locks; learns as well whether a guess would have been right. Throws
    /// Divergence when a partition ends before, or otherwise than, this process saw it end.
    void read(const Touched& touched, const KnownState& known, const std::string& store);
    void wrote(const AppendPlan& plan);
    /// The server put the only event of a plan at this end of its partition, behind whatever was
    /// there.
    void placed(const PlannedVersion& grown, Partition partition, const LogHead& head);
    /// A guess was wrong.
    void missed(const Touched& touched);
    /// The server did not put an event there: the next ones lock at once.
    void not_placed(Partition partition);
    /// Others had moved the stream: the next ones for it lock at once.
    void not_placed(Partition partition, std::string_view stream);

private:
    static constexpr int quiet_enough = 3;
    static constexpr int locked_turns = 8;
    struct Cached {
        std::optional<LogHead> head;
        /// So many looks in a row found what we left there: nobody else writes.
        int quiet = quiet_enough;
        /// After an event that was not placed so many looks under locks come first: of the
        /// partition, or of the stream.
        int locking = 0;
        std::unordered_map<std::string, int> moved;
        std::unordered_map<std::string, Version> versions;

        /// Others write there, and the server may place what is written.
        [[nodiscard]] bool shared(std::string_view stream) const {
            return head && quiet < quiet_enough && locking == 0 &&
                   !moved.contains(std::string{stream});
        }
    };
    static constexpr std::size_t max_versions = 4096;  // a partition

    const Cached& at(Partition partition) const {
        return partitions_[static_cast<std::size_t>(partition.value)];
    }
    Cached& of(Partition partition) {
        return partitions_[static_cast<std::size_t>(partition.value)];
    }
    void learn(Partition partition, std::string_view stream, Version version);

    mutable std::mutex mutex_;
    std::vector<Cached> partitions_;
};

}  // namespace recount::postgres
