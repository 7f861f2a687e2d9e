#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include <recount/core/metrics.hpp>
#include <recount/eventstore/event_store.hpp>

#include "cursor.hpp"
#include "publishing.hpp"
#include "relay_cursors.hpp"

namespace recount {

/// What a relay publishes, and how. `incarnation` counts the store's lossy forks.
struct RelayTask {
    std::string name;   // for people and metrics
    std::string lease;  // of those with the same one works
    Duration beat{};
    Duration lease_lifetime{};
    Duration broker_timeout{};
    /// Throws Mismatch when events would be lost in the topic, or are not to go there.
    std::function<void(std::size_t incarnation)> prepare;
    std::function<bool(std::size_t incarnation)> topic_is_there;
    std::function<std::string(std::size_t incarnation)> key;  // under which progress is kept
    std::function<std::unique_ptr<Publishing>(const Progress& saved)> publish;
};

/// Lease, cursors and the way back after whatever went wrong: all that relays have in common. One
/// thread uses it. The store outlives it.
class RelayLoop {
public:
    RelayLoop(EventStore& store, RelayTask task);
    ~RelayLoop();  // gives the lease back
    RelayLoop(const RelayLoop&) = delete;
    RelayLoop& operator=(const RelayLoop&) = delete;

    /// As Relay::catch_up() and Relay::run().
    std::int64_t catch_up();
    std::string run(std::stop_token stop);

private:
    void give_back() noexcept;
    bool begin();
    void work_until(const std::function<bool()>& done, std::stop_token stop, bool patient);
    void beat_when_due();
    void require_lease() const;
    void beat();
    void idle(std::stop_token stop);
    void finish();
    void end(const std::exception& error);
    void tell_backlog();
    std::string serve(std::stop_token stop);
    std::string serve_in_spite_of_errors(std::stop_token stop);
    void tell_working(bool working);
    Gauge& backlog_gauge();
    Gauge& gauge(const char* name, const char* help);
    std::chrono::nanoseconds steady() { return store_.environment().clock.steady(); }

    EventStore& store_;
    RelayTask task_;
    std::unique_ptr<Cursors> cursors_;
    Labels labels_;
    std::unique_ptr<Publishing> publisher_;
    std::string key_;
    Progress saved_;
    std::chrono::nanoseconds next_beat_{0};
    bool worked_ = false;       // the topics were fine once
    std::int64_t counted_ = 0;  // deliveries of this publisher that the metric has
};

}  // namespace recount
