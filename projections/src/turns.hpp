#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include <recount/core/environment.hpp>
#include <recount/core/error.hpp>

#include "countable.hpp"

namespace recount::projections {

/// Lets so many readers of a view at a time. Thread-safe.
class Turns {
public:
    Turns(Environment& environment, std::size_t most)
        : environment_(environment),
          most_(std::max<std::size_t>(most, 1)),
          ended_(environment.scheduler.signal()) {}

    class Turn {
    public:
        explicit Turn(Turns& turns) : turns_(turns) {}
        ~Turn() { turns_.end(); }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        Turns& turns_;
    };

    /// Waits for its turn; throws Overloaded when there is none in time.
    Turn take(Duration at_most, const std::string& view) {
        const std::chrono::nanoseconds until = environment_.clock.steady() + countable(at_most);
        while (true) {
            const std::uint64_t seen = ended_->count();
            {
                const std::scoped_lock lock{mutex_};
                if (out_ < most_) {
                    ++out_;
                    break;
                }
            }
            const auto left = std::chrono::ceil<Duration>(until - environment_.clock.steady());
            if (left <= Duration::zero()) {
                throw Overloaded("view " + view + ": all " + std::to_string(most_) +
                                 " connections of this View have been busy for " +
                                 std::to_string(at_most.count() / 1000) +
                                 " ms; try again, or give it more (ViewOptions::connections)");
            }
            ended_->wait(seen, left, {});
        }
        return Turn{*this};
    }

private:
    void end() {
        {
            const std::scoped_lock lock{mutex_};
            --out_;
        }
        ended_->raise();
    }

    Environment& environment_;
    const std::size_t most_;
    std::unique_ptr<Signal> ended_;
    std::mutex mutex_;
    std::size_t out_ = 0;
};

}  // namespace recount::projections
