#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <recount/core/environment.hpp>

namespace recount {

/// Lets those who want the same name go one after the other, first come, first served; others are
/// not held up. What makes commands of one process on one stream wait for each other instead of
/// conflicting. Who waits may leave an errand, which whoever has the turn may do along with its
/// own. Thread-safe; the scheduler must outlive it.
class Turns {
public:
    /// What somebody waits to do. Lives until its take() returns, and is touched by one thread at a
    /// time.
    class Errand {
    public:
        virtual ~Errand() = default;
    };

    explicit Turns(Scheduler& scheduler) : scheduler_(scheduler) {}
    Turns(const Turns&) = delete;
    Turns& operator=(const Turns&) = delete;

    class Turn;
    /// Blocks until it is the caller's turn, or, with an errand, until another has done it: then
    /// there is no turn. Not again for a name that the same thread has.
    [[nodiscard]] std::optional<Turn> take(const std::string& name, Errand* errand = nullptr);
    /// How many wait for this name.
    [[nodiscard]] std::size_t waiting(const std::string& name);

private:
    struct Waiter {
        std::unique_ptr<Signal> signal;
        Errand* errand = nullptr;
        bool done = false;
    };
    using Queue = std::deque<std::shared_ptr<Waiter>>;

    void end(const std::string& name);

    Scheduler& scheduler_;
    std::mutex mutex_;
    std::unordered_map<std::string, Queue> taken_;  // and who waits
};

/// Ends with the object.
class Turns::Turn {
public:
    Turn(Turns& turns, std::string name) : turns_(&turns), name_(std::move(name)) {}
    Turn(Turn&& other) noexcept
        : turns_(std::exchange(other.turns_, nullptr)), name_(std::move(other.name_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
        if (turns_ != nullptr) turns_->end(name_);
    }

    /// The errands of those who wait next, at most so many, in their order. Those that are not done
    /// when this object ends wait again, before all others.
    class Errands {
    public:
        Errands(Turn& turn, std::size_t at_most);
        ~Errands();
        Errands(const Errands&) = delete;
        Errands& operator=(const Errands&) = delete;

        [[nodiscard]] std::size_t size() const { return taken_.size(); }
        [[nodiscard]] Errand& operator[](std::size_t i) const { return *taken_[i]->errand; }
        /// Its owner goes on, and may be gone when this returns.
        void done(std::size_t i);

    private:
        Turn& turn_;
        std::vector<std::shared_ptr<Waiter>> taken_;
    };

private:
    Turns* turns_;
    std::string name_;
};

}  // namespace recount
