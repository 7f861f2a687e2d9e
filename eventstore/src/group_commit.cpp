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

}  // namespace

std::vector<AppendResult> GroupCommit::append(std::span<const Append> appends) {
    Caller caller{appends, bytes_in(appends)};
    if (!take_lead_or_queue(caller)) wait(caller);
    if (caller.state == State::leading) lead(caller);
    if (caller.failure) std::rethrow_exception(caller.failure);
    return std::move(caller.results);
}

std::size_t GroupCommit::waiting() {
    const std::lock_guard lock{mutex_};
    return waiting_appends_;
}

bool GroupCommit::take_lead_or_queue(Caller& caller) {
    const std::lock_guard lock{mutex_};
    if (!busy_) {
        busy_ = true;
        caller.state = State::leading;
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
    const std::vector<Caller*> callers = gather(caller);
    commit(callers);
    hand_over(callers);
}

std::vector<GroupCommit::Caller*> GroupCommit::gather(Caller& leader) {
    std::vector<Caller*> callers{&leader};
    std::size_t appends = leader.appends.size();
    std::size_t bytes = leader.bytes;
    const std::lock_guard lock{mutex_};
    while (!queue_.empty()) {
        Caller& next = *queue_.front();
        appends += next.appends.size();
        bytes += next.bytes;
        if (appends > limits_.group_appends || bytes > limits_.group_bytes) break;
        queue_.pop_front();
        waiting_appends_ -= next.appends.size();
        waiting_bytes_ -= next.bytes;
        callers.push_back(&next);
    }
    return callers;
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

void GroupCommit::hand_over(std::span<Caller* const> callers) {
    const std::lock_guard lock{mutex_};
    for (Caller* caller : callers) {
        caller->state = State::done;
        if (caller->signal) caller->signal->raise();
    }
    if (queue_.empty()) {
        busy_ = false;
        return;
    }
    Caller& next = *queue_.front();
    queue_.pop_front();
    waiting_appends_ -= next.appends.size();
    waiting_bytes_ -= next.bytes;
    next.state = State::leading;
    next.signal->raise();
}

}  // namespace recount
