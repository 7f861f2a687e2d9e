#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include <recount/core/environment.hpp>
#include <recount/core/session.hpp>

namespace recount {

/// How fresh a read must be, and what to do while the view is not there yet. A value; a session
/// that it names must outlive the read.
///
///     view.get("17", recount::session(session).wait_for(2s));         // then NotThereYet
///     view.get("17", recount::session(session).wait_for(2s).serve_stale());  // or what there is
class Consistency {
public:
    enum class Level : std::uint8_t { eventual, bounded, session, strong };

    /// Waits so long at most (the default: one second), then throws NotThereYet.
    [[nodiscard]] Consistency wait_for(Duration at_most) const;
    /// Throws NotThereYet at once.
    [[nodiscard]] Consistency fail() const { return wait_for(Duration::zero()); }
    /// Serves what there is, marked stale, at once or after the wait that was asked for; at once
    /// also when the log does not say what is missing.
    [[nodiscard]] Consistency serve_stale() const;

    [[nodiscard]] Level level() const { return level_; }
    [[nodiscard]] Session* session() const { return session_; }
    [[nodiscard]] std::int64_t max_events() const { return max_events_; }
    [[nodiscard]] Duration max_age() const { return max_age_; }
    [[nodiscard]] Duration wait() const;
    [[nodiscard]] bool serves_stale() const { return serve_stale_; }

private:
    friend Consistency eventual();
    friend Consistency session(Session& session);
    friend Consistency bounded(std::int64_t events, Duration age);
    friend Consistency strong();
    explicit Consistency(Level level) : level_(level) {}

    Level level_;
    Session* session_ = nullptr;
    std::int64_t max_events_ = 0;
    Duration max_age_{};
    std::optional<Duration> wait_;
    bool serve_stale_ = false;
};

/// Whatever the view has, with its lag.
Consistency eventual();
/// Everything that the session wrote or saw; and the session grows by what the read shows.
Consistency session(Session& session);
/// At most so many events behind the log's heads, and none that is missing older than `age`. Heads
/// that come by a relay's beat are up to a second old, and so may be what is missing. Unavailable
/// where heads cannot be told: on a standby, others may be ahead.
Consistency bounded(std::int64_t events, Duration age);
/// Everything committed before the read began. Only where the store itself can be asked for its
/// heads, and like bounded() not on a standby.
Consistency strong();

}  // namespace recount
