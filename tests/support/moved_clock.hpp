#pragma once

#include <recount/core/environment.hpp>

#include <atomic>

namespace recount::test {

/// The system's environment, but for a clock that a test moves on.
class MovedClock final : public Clock {
public:
    Timestamp now() override { return Environment::system().clock.now() + ahead_.load(); }
    std::chrono::nanoseconds steady() override { return Environment::system().clock.steady(); }
    void move(Duration by) { ahead_ = ahead_.load() + by; }

    Environment& environment() { return environment_; }

private:
    std::atomic<Duration> ahead_{Duration{0}};
    Environment environment_{*this, Environment::system().random, Environment::system().scheduler,
                             Environment::system().metrics};
};

}  // namespace recount::test
