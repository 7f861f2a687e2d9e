#include "group_commit.hpp"

#include <recount/core/error.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace recount {
namespace {

constexpr Duration one_look = std::chrono::hours{1};

std::size_t bytes_in(std::span<const Append> appends) {
    std::size_t bytes = 0;
    for (const Append& append : appends) {
        for (const StreamWrite& write : append.writes) {
            for (const NewEvent& event : write.events) bytes += event.payload.size();
        }
    }
    return bytes;
}

bool overlap(const std::vector<Partition>& some, const std::set<Partition>& others) {
    return std::any_of(some.begin(), some.end(),
                       [&](Partition partition) { return others.contains(partition); });
}

}  // namespace

std::vector<AppendResult> GroupCommit::append(std::span<const Append> appends) {
    Caller caller{appends, bytes_in(appends), partitions_of(appends)};
    if (!take_lead_or_queue(caller)) wait(caller);
    if (caller.state == State::leading) lead(caller);
    if (caller.failure) std::rethrow_exception(caller.failure);
    return std::move(caller.results);
}

std::size_t GroupCommit::waiting() {
    const std::lock_guard lock{mutex_};
    return waiting_appends_;
}

GroupCommit::Partitions GroupCommit::partitions_of(std::span<const Append> appends) const {
    if (limits_.groups == 1) return {};
    return touched_by(pointers_to(appends), limits_.partitions).partitions;
}

bool GroupCommit::may_lead(const Caller& caller) const {
    if (on_their_way_ >= limits_.groups || overlap(caller.partitions, busy_)) return false;
    return std::none_of(queue_.begin(), queue_.end(), [&](const Caller* waiting) {
        return overlap(waiting->partitions, {caller.partitions.begin(), caller.partitions.end()});
    });
}

void GroupCommit::start(Caller& caller) {
    ++on_their_way_;
    busy_.insert(caller.partitions.begin(), caller.partitions.end());
    caller.state = State::leading;
}

void GroupCommit::unqueue(std::deque<Caller*>::iterator& position) {
    waiting_appends_ -= (*position)->appends.size();
    waiting_bytes_ -= (*position)->bytes;
    position = queue_.erase(position);
}

bool GroupCommit::take_lead_or_queue(Caller& caller) {
    const std::lock_guard lock{mutex_};
    if (may_lead(caller)) {
        start(caller);
        return true;
    }
    const bool full = waiting_appends_ + caller.appends.size() > limits_.waiting_appends ||
                      waiting_bytes_ + caller.bytes > limits_.waiting_bytes;
    // What is larger than the queue by itself must still get in some time.
    if (full && !queue_.empty()) {
        throw Overloaded(name_ + ": " + std::to_string(waiting_appends_) + " appends with " +
                         std::to_string(waiting_bytes_) +
                         " bytes wait to be committed, which is all that may; try again later");
    }
    if (idle_signals_.empty()) {
        caller.signal = scheduler_.signal();
    } else {
        caller.signal = std::move(idle_signals_.back());
        idle_signals_.pop_back();
    }
    queue_.push_back(&caller);
    waiting_appends_ += caller.appends.size();
    waiting_bytes_ += caller.bytes;
    return false;
}

void GroupCommit::wait(Caller& caller) {
    while (true) {
        const std::uint64_t count = caller.signal->count();
        {
            const std::lock_guard lock{mutex_};
            if (caller.state != State::waiting) {
                idle_signals_.push_back(std::move(caller.signal));
                return;
            }
        }
        caller.signal->wait(count, one_look, {});
    }
}

void GroupCommit::lead(Caller& caller) {
    const Group group = gather(caller);
    commit(group.callers);
    hand_over(group);
}

GroupCommit::Group GroupCommit::gather(Caller& leader) {
    Group group{{&leader}, {leader.partitions.begin(), leader.partitions.end()}};
    std::size_t appends = leader.appends.size();
    std::size_t bytes = leader.bytes;
    const std::lock_guard lock{mutex_};
    std::set<Partition> passed_by;  // of those that wait for another group
    for (auto position = queue_.begin(); position != queue_.end();) {
        Caller& next = **position;
        const bool free =
            std::all_of(next.partitions.begin(), next.partitions.end(), [&](Partition partition) {
                return !passed_by.contains(partition) &&
                       (group.partitions.contains(partition) || !busy_.contains(partition));
            });
        if (!free) {
            passed_by.insert(next.partitions.begin(), next.partitions.end());
            ++position;
            continue;
        }
        appends += next.appends.size();
        bytes += next.bytes;
        if (appends > limits_.group_appends || bytes > limits_.group_bytes) break;
        unqueue(position);
        group.callers.push_back(&next);
        group.partitions.insert(next.partitions.begin(), next.partitions.end());
        busy_.insert(next.partitions.begin(), next.partitions.end());
    }
    return group;
}

void GroupCommit::commit(std::span<Caller* const> callers) {
    try {
        commit_together(callers);
        return;
    } catch (const Error& error) {
        // What fails for good may be one caller's doing: the others must not suffer for it.
        if (callers.size() == 1 || error.retryable()) {
            for (Caller* caller : callers) caller->failure = std::current_exception();
            return;
        }
    } catch (...) {
        for (Caller* caller : callers) caller->failure = std::current_exception();
        return;
    }
    for (Caller* const& caller : callers) {
        try {
            commit_together({&caller, 1});
        } catch (...) {
            caller->failure = std::current_exception();
        }
    }
}

void GroupCommit::commit_together(std::span<Caller* const> callers) {
    std::vector<const Append*> group;
    for (const Caller* caller : callers) {
        for (const Append& append : caller->appends) group.push_back(&append);
    }
    std::vector<AppendResult> results = commit_(group);
    auto next = std::make_move_iterator(results.begin());
    for (Caller* caller : callers) {
        const auto end = next + static_cast<std::ptrdiff_t>(caller->appends.size());
        caller->results.assign(next, end);
        next = end;
    }
}

void GroupCommit::hand_over(const Group& group) {
    // Raised behind the lock, or else whoever wakes would wait for it; those who go on to the
    // database first. A signal outlives its caller: it goes back to idle_signals_.
    std::vector<Signal*> signals;
    {
        const std::lock_guard lock{mutex_};
        --on_their_way_;
        for (const Partition partition : group.partitions) busy_.erase(partition);
        let_next_lead(signals);
        for (Caller* caller : group.callers) {
            caller->state = State::done;
            if (caller->signal) signals.push_back(caller->signal.get());
        }
    }
    for (Signal* signal : signals) signal->raise();
}

void GroupCommit::let_next_lead(std::vector<Signal*>& signals) {
    std::set<Partition> passed_by;
    for (auto position = queue_.begin();
         position != queue_.end() && on_their_way_ < limits_.groups;) {
        Caller& next = **position;
        if (overlap(next.partitions, busy_) || overlap(next.partitions, passed_by)) {
            passed_by.insert(next.partitions.begin(), next.partitions.end());
            ++position;
            continue;
        }
        unqueue(position);
        start(next);
        signals.push_back(next.signal.get());
    }
}

}  // namespace recount
