#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include <recount/core/environment.hpp>

namespace recount {

/// Lets those who want the same name go one after the other, first come, first served; others are
/// not held up. What makes commands of one process on one stream wait for each other instead of
/// conflicting. Thread-safe; the scheduler must outlive it.
class Turns {
public:
    explicit Turns(Scheduler& scheduler) : scheduler_(scheduler) {}
    Turns(const Turns&) = delete;
    Turns& operator=(const Turns&) = delete;

    /// Ends with the object.
    class Turn {
    public:
        Turn(Turns& turns, std::string name) : turns_(turns), name_(std::move(name)) {}
        ~Turn() { turns_.end(name_); }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        Turns& turns_;
        std::string name_;
    };

    /// Blocks until it is the caller's turn. Not again for a name that the same thread has.
    [[nodiscard]] Turn take(const std::string& name);
    /// How many wait for this name.
    [[nodiscard]] std::size_t waiting(const std::string& name);

private:
    void end(const std::string& name);

    Scheduler& scheduler_;
    std::mutex mutex_;
    std::unordered_map<std::string, std::list<std::shared_ptr<Signal>>> taken_;  // and who waits
};

}  // namespace recount
