#pragma once

#include <stop_token>
#include <thread>

namespace shop {

/// Turns SIGINT and SIGTERM into a stop that may be waited for; one that comes
/// a second later, or after that, ends the program at once. Made in main before any other thread,
/// which then leave these signals alone.
class Signals {
public:
    Signals();

    [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

private:
    std::stop_source stop_;
    std::jthread waiting_;
};

}  // namespace shop
