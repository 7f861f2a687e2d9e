#pragma once

#include <chrono>
#include <optional>

#include <recount/projections/projector.hpp>

namespace recount::projections {

/// When to try again what failed: each failure in a row doubles the time, up to a limit. A part of
/// it is chance, so that many projectors do not come back together. One thread at a time.
class Backoff {
public:
    Backoff(Environment& environment, const ProjectorOptions& options)
        : environment_(environment), options_(options) {}

    /// It is not to be tried again before `at_least`.
    void failed(Duration at_least = Duration::zero());
    void worked() { failures_ = 0; }
    /// How long until it is to be tried again; nothing when it worked.
    [[nodiscard]] std::optional<Duration> left() const;
    [[nodiscard]] bool due() const { return left().value_or(Duration::zero()) == Duration::zero(); }

private:
    Environment& environment_;
    const ProjectorOptions& options_;
    int failures_ = 0;
    std::chrono::nanoseconds until_{};  // by the steady clock
};

}  // namespace recount::projections
