#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <recount/core/append.hpp>
#include <recount/core/environment.hpp>

#include "append_group.hpp"

namespace recount {

struct GroupLimits {
    std::size_t group_appends = 1000;  // in one transaction
    std::size_t group_bytes = std::size_t{8} << 20;
    std::size_t waiting_appends = 10'000;  // beyond it, Overloaded
    std::size_t waiting_bytes = std::size_t{64} << 20;
    /// So many groups may be on their way at a time, as long as no two touch the same partition;
    /// the next one only when the one before takes longer than `patience`, as it may wait for a
    /// lock, or two go `apart`.
    std::size_t groups = 1;
    std::int32_t partitions = 1;  // of the store; only used with several groups
    Duration patience = std::chrono::milliseconds{5};
    /// A group waits for those of the one before who come again, at most so long.
    Duration company = std::chrono::milliseconds{5};
    /// Whether what a caller brings is better off in a transaction of its own: two such callers are
    /// not held up by each other. Nobody, when there is none.
    std::function<bool(std::span<const Append>)> apart = {};
};

/// Lets appends of several threads share a transaction. A caller that finds nobody in its way
/// commits at once; whoever comes meanwhile queues, and the first who can then commits for all that
/// wait. Nobody is overtaken in a partition. Each caller gets the verdicts on its own appends.
///
/// Where other processes write as well, a transaction that is short does more than one that is
/// shared: up to two callers then go beside each other, each alone (GroupLimits::apart). Of those
/// who come while two are on their way, one goes when one ends, and several share.
///
/// Threads that append one thing after the other come again shortly after their group. If the next
/// group left without them, there would be two that pass by each other, each with half of the
/// threads; so it waits until as many have come, for at most half the time of a commit, and does
/// not for a while when that was in vain. One who is alone waits for nobody.
///
/// Thread-safe; calls block until decided.
class GroupCommit {
public:
    /// Commits a group in one transaction and returns a verdict for each, or throws and has
    /// committed none. Called by as many threads at a time as there may be groups.
    using Commit = std::function<std::vector<AppendResult>(AppendGroup)>;

    GroupCommit(Environment& environment, std::string name, Commit commit, GroupLimits limits = {})
        : environment_(environment),
          name_(std::move(name)),
          commit_(std::move(commit)),
          limits_(limits) {}

    /// What one caller brings is never split, and in its order. Throws Overloaded when too many
    /// wait, and what the commit threw.
    std::vector<AppendResult> append(std::span<const Append> appends);

    /// How many appends wait for the commit that is under way.
    std::size_t waiting();

private:
    using Steady = std::chrono::nanoseconds;
    struct Caller {
        std::span<const Append> appends;
        std::size_t bytes = 0;
        std::optional<std::vector<Partition>> partitions = {};  // once somebody had to know them
        std::optional<bool> apart = {};                         // the same
        bool decided = false;
        std::unique_ptr<Signal> signal = {};  // when waiting
        std::vector<AppendResult> results = {};
        std::exception_ptr failure = {};
    };
    /// The callers that share a transaction.
    struct Group {
        std::vector<Caller*> callers = {};
        Steady began{0};
    };
    /// Who is expected to come again before the next group leaves.
    struct Company {
        std::size_t waited = 0;    // in the queue already
        std::size_t expected = 0;  // all together
        Steady until{0};
    };

    void enter(Caller& caller);
    bool wait_for_turn(Caller& caller, Group& group);
    [[nodiscard]] bool may_lead(Caller& caller, Steady now);
    [[nodiscard]] bool goes_apart(Caller& caller) const;
    [[nodiscard]] bool go_apart() const;
    [[nodiscard]] bool goes_beside(Caller& caller) const;
    [[nodiscard]] Duration next_look(Steady now) const;
    void gather(Group& group, Caller& leader, Steady now);
    void learn_from_company();
    const std::vector<Partition>& partitions_of(Caller& caller) const;
    [[nodiscard]] std::set<Partition> busy() const;
    void commit(std::span<Caller* const> callers);
    void commit_together(std::span<Caller* const> callers);
    void hand_over(const Group& group);

    Environment& environment_;
    std::string name_;
    Commit commit_;
    GroupLimits limits_;

    std::mutex mutex_;
    std::vector<const Group*> on_their_way_;
    std::deque<Caller*> queue_;
    std::size_t waiting_appends_ = 0, waiting_bytes_ = 0;
    Company company_;
    std::size_t in_vain_ = 0;  // for so many groups nobody is waited for
    std::size_t doubt_ = 1;    // how many that is to be next time
    std::vector<std::unique_ptr<Signal>> idle_signals_;
};

}  // namespace recount
