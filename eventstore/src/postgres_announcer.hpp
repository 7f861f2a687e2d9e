#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include <recount/core/environment.hpp>

#include "postgres_pool.hpp"

namespace recount::postgres {

/// Tells other processes that the log has grown, by NOTIFY, which serialises commits and so stays
/// out of the appends' own transactions: on a connection of its own, at most every 10 ms.
/// Thread-safe.
class Announcer {
public:
    Announcer(const Address& address, std::string channel, Environment& environment);

    /// Behind a commit: nothing may fail here.
    void grown() noexcept;

private:
    void announce(const std::stop_token& stop);

    Environment& environment_;
    const std::string channel_;
    Pool pool_;
    std::unique_ptr<Signal> signal_;
    std::mutex mutex_;
    std::unique_ptr<Task> task_;  // from the first growth; last: it ends before what it uses
};

}  // namespace recount::postgres
