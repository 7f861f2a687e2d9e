#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
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
};

/// Lets appends of several threads share a transaction. A caller that finds nobody committing
/// commits at once; whoever comes meanwhile queues, and the first of the queue then commits for all
/// that wait. Each caller gets the verdicts on its own appends. Thread-safe; calls block until
/// decided.
class GroupCommit {
public:
    /// Commits a group in one transaction and returns a verdict for each, or throws and has
    /// committed none. Never called by two threads at a time.
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
    struct Caller {
        std::span<const Append> appends;
        std::size_t bytes = 0;
        State state = State::waiting;
        std::unique_ptr<Signal> signal = {};  // when waiting
        std::vector<AppendResult> results = {};
        std::exception_ptr failure = {};
    };

    bool take_lead_or_queue(Caller& caller);
    void wait(Caller& caller);
    void lead(Caller& caller);
    std::vector<Caller*> gather(Caller& leader);
    void commit(std::span<Caller* const> callers);
    void commit_together(std::span<Caller* const> callers);
    void hand_over(std::span<Caller* const> callers);

    Scheduler& scheduler_;
    std::string name_;
    Commit commit_;
    GroupLimits limits_;

    std::mutex mutex_;
    bool busy_ = false;
    std::deque<Caller*> queue_;
    std::size_t waiting_appends_ = 0, waiting_bytes_ = 0;
    std::vector<std::unique_ptr<Signal>> idle_signals_;
};

}  // namespace recount
