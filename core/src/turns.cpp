#include <recount/core/turns.hpp>

namespace recount {

std::optional<Turns::Turn> Turns::take(const std::string& name, Errand* errand) {
    std::shared_ptr<Waiter> waiter;
    {
        std::lock_guard lock{mutex_};
        const auto [queue, free] = taken_.try_emplace(name);
        if (!free) {
            waiter = std::make_shared<Waiter>(Waiter{scheduler_.signal(), errand});
            queue->second.push_back(waiter);
        }
    }
    // Whoever ends passes the turn on: raised once is ours.
    while (waiter && waiter->signal->count() == 0) {
        waiter->signal->wait(0, std::chrono::seconds{1}, {});
    }
    if (waiter && waiter->done) return {};
    return Turn{*this, name};
}

std::size_t Turns::waiting(const std::string& name) {
    std::lock_guard lock{mutex_};
    const auto found = taken_.find(name);
    return found == taken_.end() ? 0 : found->second.size();
}

void Turns::end(const std::string& name) {
    std::shared_ptr<Waiter> next;
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
    next->signal->raise();
}

Turns::Turn::Errands::Errands(Turn& turn, std::size_t at_most) : turn_(turn) {
    std::lock_guard lock{turn_.turns_->mutex_};
    Queue& queue = turn_.turns_->taken_.at(turn_.name_);
    // Nobody is overtaken: behind one without an errand all wait.
    while (!queue.empty() && queue.front()->errand != nullptr && taken_.size() < at_most) {
        taken_.push_back(std::move(queue.front()));
        queue.pop_front();
    }
}

Turns::Turn::Errands::~Errands() {
    std::lock_guard lock{turn_.turns_->mutex_};
    Queue& queue = turn_.turns_->taken_.at(turn_.name_);
    for (; !taken_.empty(); taken_.pop_back()) {
        if (taken_.back()) queue.push_front(std::move(taken_.back()));
    }
}

void Turns::Turn::Errands::done(std::size_t i) {
    const std::shared_ptr<Waiter> waiter = std::move(taken_[i]);
    waiter->done = true;
    waiter->signal->raise();
}

}  // namespace recount
