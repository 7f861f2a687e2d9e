#pragma once

#include <functional>
#include <memory>
#include <string>

#include <recount/core/environment.hpp>

#include "postgres_address.hpp"

namespace recount::postgres {

/// Hears NOTIFY on a channel, by libpqxx, which listens again by itself on a connection made anew.
/// What is lost meanwhile is not heard: whoever waits looks for himself from time to time. One
/// connection and one task as long as it lives.
class Listener {
public:
    /// `heard` is called by the task.
    Listener(Address address, std::string channel, Environment& environment,
             std::function<void()> heard);

private:
    void listen(const std::stop_token& stop);

    const std::string connection_;
    const std::string channel_;
    Environment& environment_;
    const std::function<void()> heard_;
    std::unique_ptr<Task> task_;  // last: it ends before what it uses
};

}  // namespace recount::postgres
