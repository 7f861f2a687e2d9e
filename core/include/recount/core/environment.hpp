#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include <recount/core/values.hpp>

namespace recount {

using Duration = std::chrono::microseconds;

/// What time it is. Thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    /// UTC; may jump.
    virtual Timestamp now() = 0;
    /// Never runs back; only differences mean anything.
    virtual std::chrono::nanoseconds steady() = 0;
};

/// Random bytes. Thread-safe.
class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> bytes) = 0;
    std::uint64_t next();
    /// Evenly in [0, 1).
    double uniform();
};

/// Something happened: a counter that can be waited on. A waiter reads `count()`, looks at the
/// world, and waits for a count above the one it read, so nothing is missed in between.
/// Thread-safe.
class Signal {
public:
    virtual ~Signal() = default;
    [[nodiscard]] virtual std::uint64_t count() const = 0;
    virtual void raise() = 0;
    /// Returns true when the count is above `seen`; false at the time-out or when asked to stop.
    virtual bool wait(std::uint64_t seen, Duration at_most, std::stop_token stop) = 0;
};

/// A spawned activity. Its destructor asks it to stop and waits for its end. What it throws ends
/// the program, so it handles its own errors.
class Task {
public:
    virtual ~Task() = default;
    virtual void request_stop() = 0;
    virtual void join() = 0;
};

/// All waiting and spawning goes through here, so that a simulator can take its place. Thread-safe.
class Scheduler {
public:
    virtual ~Scheduler() = default;
    virtual std::unique_ptr<Signal> signal() = 0;
    virtual std::unique_ptr<Task> spawn(std::string name,
                                        std::function<void(std::stop_token)> run) = 0;
    /// Returns false when asked to stop before the time was over.
    virtual bool sleep(Duration duration, std::stop_token stop = {}) = 0;
};

class Metrics;

/// Time, chance, waiting and counting, as one argument. The system's own unless a test passes
/// another. Passed by reference, never copied.
struct Environment {
    Clock& clock;
    Random& random;
    Scheduler& scheduler;
    Metrics& metrics;
    /// Where new_uuid7 counts on, so that a simulated world gives the same ids each time.
    std::atomic<std::uint64_t> last_uuid7{0};

    static Environment& system();
};

}  // namespace recount
