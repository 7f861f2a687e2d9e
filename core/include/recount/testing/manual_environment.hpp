#pragma once

#include <cstdint>
#include <memory>

#include <recount/core/environment.hpp>
#include <recount/core/metrics.hpp>

namespace recount::test {

/// An Environment for tests: a clock that is moved by hand, chance from a seed, metrics of its own.
/// Nothing waits in real time. Thread-safe; outlives everything that was made with it.
///
/// Time-outs follow the manual clock. A thread of the test that waits or sleeps lets the tasks that
/// were spawned here work until each of them waits too; then, as nobody else would do anything
/// before, the clock moves on to the next time-out. So a test that waits two seconds takes none,
/// and sees the clock two seconds later.
///
///     recount::test::ManualEnvironment world;
///     auto store = recount::open_store("memory:", {.environment = &world.environment()});
///     world.advance(std::chrono::hours{1});
class ManualEnvironment {
public:
    explicit ManualEnvironment(std::uint64_t seed = 1,
                               Timestamp now = parse_timestamp("2020-01-01T00:00:00Z"));
    ~ManualEnvironment();
    ManualEnvironment(const ManualEnvironment&) = delete;
    ManualEnvironment& operator=(const ManualEnvironment&) = delete;

    [[nodiscard]] Environment& environment() { return environment_; }
    [[nodiscard]] Timestamp now() const;
    /// Moves both clocks on and wakes what waited for that moment.
    void advance(Duration duration);
    /// Lets the clock on the wall jump, in either direction; nothing that waits notices.
    void set_now(Timestamp now);
    Metrics& metrics() { return metrics_; }

private:
    class World;
    class ManualSignal;
    class ManualTask;

    std::unique_ptr<World> world_;
    Metrics metrics_;
    Environment environment_;
};

}  // namespace recount::test
