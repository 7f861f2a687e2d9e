#include "group_commit.hpp"

#include <recount/core/error.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace recount {
namespace {

constexpr Duration one_look = std::chrono::hours{1};
constexpr std::size_t most_doubt = 64;
constexpr std::size_t most_apart = 2;  // callers; of more, some share

/// What the envelope of each event repeats, and can be larger than the event.
std::size_t bytes_in_envelope(const Append& append) {
    constexpr std::size_t position = 9;  // as most are encoded
    std::size_t bytes = 0;
    for (const auto& [name, value] : append.metadata.headers) bytes += name.size() + value.size();
    for (const auto& after : append.after) bytes += after.positions.values().size() * position;
    return bytes;
}

std::size_t bytes_in(std::span<const Append> appends) {
    std::size_t bytes = 0;
    for (const Append& append : appends) {
        const std::size_t envelope = bytes_in_envelope(append);
        for (const StreamWrite& write : append.writes) {
            for (const NewEvent& event : write.events) bytes += event.payload.size() + envelope;
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
    Caller caller{appends, bytes_in(appends)};
    enter(caller);
    for (Group group; wait_for_turn(caller, group); group = {}) {
        commit(group.callers);
        hand_over(group);
    }
    if (caller.failure) std::rethrow_exception(caller.failure);
    return std::move(caller.results);
}

std::size_t GroupCommit::waiting() {
    const std::lock_guard lock{mutex_};
    return waiting_appends_;
}

void GroupCommit::enter(Caller& caller) {
    const std::lock_guard lock{mutex_};
    const bool full = waiting_appends_ + caller.appends.size() > limits_.waiting_appends ||
                      waiting_bytes_ + caller.bytes > limits_.waiting_bytes;
    // What is larger than the queue by itself must still get in some time.
    if (full && !queue_.empty()) {
        throw Overloaded(name_ + ": " + std::to_string(waiting_appends_) + " appends with " +
                         std::to_string(waiting_bytes_) +
                         " bytes wait to be committed, which is all that may; try again later");
    }
    queue_.push_back(&caller);
    waiting_appends_ += caller.appends.size();
    waiting_bytes_ += caller.bytes;
}

/// Returns true with a group that the caller commits, its own appends among them or not; false when
/// its appends are decided.
bool GroupCommit::wait_for_turn(Caller& caller, Group& group) {
    for (;;) {
        std::uint64_t seen = 0;
        Duration at_most = one_look;
        {
            const std::lock_guard lock{mutex_};
            if (caller.decided) {
                if (caller.signal) idle_signals_.push_back(std::move(caller.signal));
                return false;
            }
            const Steady now = environment_.clock.steady();
            if (may_lead(caller, now)) {
                gather(group, caller, now);
                return true;
            }
            if (!caller.signal && !idle_signals_.empty()) {
                caller.signal = std::move(idle_signals_.back());
                idle_signals_.pop_back();
            }
            if (!caller.signal) caller.signal = environment_.scheduler.signal();
            seen = caller.signal->count();
            at_most = next_look(now);
        }
        caller.signal->wait(seen, at_most, {});
    }
}

bool GroupCommit::may_lead(Caller& caller, Steady now) {
    const auto position = std::find(queue_.begin(), queue_.end(), &caller);
    if (position == queue_.end()) return false;  // on its way with another
    if (on_their_way_.empty()) return queue_.size() >= company_.expected || now >= company_.until;
    if (on_their_way_.size() >= limits_.groups) return false;
    const bool late = now - on_their_way_.back()->began >= limits_.patience;
    if (!late && !goes_beside(caller)) return false;
    std::set<Partition> taken = busy();
    for (auto before = queue_.begin(); before != position; ++before) {
        const auto& theirs = partitions_of(**before);
        taken.insert(theirs.begin(), theirs.end());
    }
    return !overlap(partitions_of(caller), taken);
}

bool GroupCommit::goes_apart(Caller& caller) const {
    if (!caller.apart) caller.apart = limits_.apart && limits_.apart(caller.appends);
    return *caller.apart;
}

/// All who wait, because they are few, would rather be alone, and are not in each other's way.
bool GroupCommit::go_apart() const {
    const std::size_t transactions = on_their_way_.size() + queue_.size();
    if (limits_.groups < most_apart || transactions > most_apart) return false;
    std::set<Partition> taken;
    return std::ranges::all_of(queue_, [&](Caller* caller) {
        if (!goes_apart(*caller) || overlap(partitions_of(*caller), taken)) return false;
        taken.insert(caller->partitions->begin(), caller->partitions->end());
        return true;
    });
}

bool GroupCommit::goes_beside(Caller& caller) const {
    const auto alone = [this](const Group* group) {
        return group->callers.size() == 1 && goes_apart(*group->callers.front());
    };
    return queue_.size() == 1 && on_their_way_.size() < most_apart &&
           alone(on_their_way_.front()) && goes_apart(caller);
}

/// When a waiting caller has to look by itself whether it may lead.
Duration GroupCommit::next_look(Steady now) const {
    if (on_their_way_.empty()) {
        return std::max(std::chrono::ceil<Duration>(company_.until - now), Duration{1});
    }
    if (on_their_way_.size() >= limits_.groups) return one_look;
    const Steady late = on_their_way_.back()->began + limits_.patience;
    // Late already, and in this one's way: whoever hands over tells it.
    return now < late ? std::chrono::ceil<Duration>(late - now) : one_look;
}

const std::vector<Partition>& GroupCommit::partitions_of(Caller& caller) const {
    if (!caller.partitions) {
        caller.partitions = touched_by(pointers_to(caller.appends), limits_.partitions).partitions;
    }
    return *caller.partitions;
}

std::set<Partition> GroupCommit::busy() const {
    std::set<Partition> partitions;
    for (const Group* group : on_their_way_) {
        for (Caller* caller : group->callers) {
            const auto& theirs = partitions_of(*caller);
            partitions.insert(theirs.begin(), theirs.end());
        }
    }
    return partitions;
}

/// Takes from the queue, in its order, whoever is in nobody's way; or the leader alone.
void GroupCommit::gather(Group& group, Caller& leader, Steady now) {
    group.began = now;
    const bool alone = on_their_way_.empty();
    const bool was_awaited = alone && (queue_.size() >= company_.expected || now >= company_.until);
    if (was_awaited) learn_from_company();
    company_ = {};
    std::size_t appends = 0, bytes = 0;
    const bool apart = go_apart();
    std::set<Partition> taken;  // also by those that wait for another group
    bool full = false;
    if (!alone) taken = busy();
    for (auto position = queue_.begin(); position != queue_.end();) {
        Caller& next = **position;
        if (apart && &next != &leader) {
            ++position;
            continue;
        }
        if (!alone && overlap(partitions_of(next), taken)) {
            taken.insert(next.partitions->begin(), next.partitions->end());
            ++position;
            continue;
        }
        appends += next.appends.size();
        bytes += next.bytes;
        const bool too_large = appends > limits_.group_appends || bytes > limits_.group_bytes;
        full = too_large && !group.callers.empty();
        if (full) break;
        waiting_appends_ -= next.appends.size();
        waiting_bytes_ -= next.bytes;
        group.callers.push_back(&next);
        position = queue_.erase(position);
    }
    on_their_way_.push_back(&group);
    if (!full) return;
    // They may have been in the way of a group that has gone, and of this one they are not.
    for (Caller* left : queue_)
        if (left->signal) left->signal->raise();
}

void GroupCommit::learn_from_company() {
    const std::size_t awaited = company_.expected - company_.waited;
    // Who comes alone again and again was waited for by nobody.
    if (awaited > 1 || (awaited == 1 && company_.waited > 0)) {
        const bool worth_it = 2 * (queue_.size() - company_.waited) >= awaited;
        doubt_ = worth_it ? 1 : std::min(2 * doubt_, most_doubt);
        if (!worth_it) in_vain_ = doubt_;
    }
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
    // Raised behind the lock, or else whoever wakes would wait for it. A signal outlives its
    // caller: it goes back to idle_signals_.
    std::vector<Signal*> signals;
    {
        const std::lock_guard lock{mutex_};
        std::erase(on_their_way_, &group);
        const Steady now = environment_.clock.steady();
        company_ = {queue_.size(), queue_.size() + group.callers.size(), now};
        if (in_vain_ > 0) {
            --in_vain_;
            company_.expected = company_.waited;
        } else {
            company_.until += std::min<Steady>((now - group.began) / 2, limits_.company);
        }
        // They look for themselves: who still waits for another group changes nothing.
        const bool one_leads =
            limits_.groups == 1 || (on_their_way_.empty() && queue_.size() > most_apart);
        for (Caller* caller : queue_) {
            if (caller->signal) signals.push_back(caller->signal.get());
            if (one_leads) break;
        }
        for (Caller* caller : group.callers) {
            caller->decided = true;
            if (caller->signal) signals.push_back(caller->signal.get());
        }
    }
    for (Signal* signal : signals) signal->raise();
}

}  // namespace recount
