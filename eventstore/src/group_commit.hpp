#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
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
    /// So many groups may be on their way at a time, as long as no two touch the same partition.
    std::size_t groups = 1;
    std::int32_t partitions = 1;  // of the store; only used with several groups
};

/// Lets appends of several threads share a transaction. A caller that finds nobody in its way
/// commits at once; whoever comes meanwhile queues, and the first of the queue then commits for all
/// that wait. Nobody is overtaken in a partition. Each caller gets the verdicts on its own appends.
/// Thread-safe; calls block until decided.
class GroupCommit {
public:
    /// Commits a group in one transaction and returns a verdict for each, or throws and has
    /// committed none. Called by as many threads at a time as there may be groups.
    using Commit = std::function<std::vector<AppendResult>(AppendGroup)>;

    GroupCommit(Scheduler& scheduler, std::string name, Commit commit, GroupLimits limits = {})
        : scheduler_(scheduler),
          name_(std::move(name)),
          commit_(std::move(commit)),
          limits_(limits) {}

    /// What one caller brings is never split, and in its order. Throws Overloaded when too many
    /// wait, and what the commit threw.
    std::vector<AppendResult> append(std::span<const Append> appends);

    /// How many appends wait for the commit that is under way.
    std::size_t waiting();

private:
    enum class State { waiting, leading, done };
    using Partitions = std::vector<Partition>;
    struct Caller {
        std::span<const Append> appends;
        std::size_t bytes = 0;
        Partitions partitions = {};  // that its appends touch, when several groups may be
        State state = State::waiting;
        std::unique_ptr<Signal> signal = {};  // when waiting
        std::vector<AppendResult> results = {};
        std::exception_ptr failure = {};
    };

    /// The callers that share a transaction, and the partitions that are theirs meanwhile.
    struct Group {
        std::vector<Caller*> callers;
        std::set<Partition> partitions;
    };

    [[nodiscard]] Partitions partitions_of(std::span<const Append> appends) const;
    bool take_lead_or_queue(Caller& caller);
    bool may_lead(const Caller& caller) const;
    void start(Caller& caller);
    void unqueue(std::deque<Caller*>::iterator& position);
    void wait(Caller& caller);
    void lead(Caller& caller);
    Group gather(Caller& leader);
    void commit(std::span<Caller* const> callers);
    void commit_together(std::span<Caller* const> callers);
    void hand_over(const Group& group);
    void let_next_lead(std::vector<Signal*>& signals);

    Scheduler& scheduler_;
    std::string name_;
    Commit commit_;
    GroupLimits limits_;

    std::mutex mutex_;
    std::size_t on_their_way_ = 0;
    std::set<Partition> busy_;  // partitions of the groups on their way
    std::deque<Caller*> queue_;
    std::size_t waiting_appends_ = 0, waiting_bytes_ = 0;
    std::vector<std::unique_ptr<Signal>> idle_signals_;
};

}  // namespace recount
