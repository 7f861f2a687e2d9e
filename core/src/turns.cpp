#include <recount/core/turns.hpp>

namespace recount {

Turns::Turn Turns::take(const std::string& name) {
    std::shared_ptr<Signal> signal;
    {
        std::lock_guard lock{mutex_};
        const auto [queue, free] = taken_.try_emplace(name);
        if (!free) {
            signal = scheduler_.signal();
            queue->second.push_back(signal);
        }
    }
    // Whoever ends passes the turn on: raised once is ours.
    while (signal && signal->count() == 0) signal->wait(0, std::chrono::seconds{1}, {});
    return Turn{*this, name};
}

std::size_t Turns::waiting(const std::string& name) {
    std::lock_guard lock{mutex_};
    const auto found = taken_.find(name);
    return found == taken_.end() ? 0 : found->second.size();
}

void Turns::end(const std::string& name) {
    std::shared_ptr<Signal> next;
    {
        std::lock_guard lock{mutex_};
        const auto found = taken_.find(name);
        if (found->second.empty()) {
            taken_.erase(found);
            return;
        }
        next = std::move(found->second.front());
        found->second.pop_front();
    }
    next->raise();
}

}  // namespace recount
