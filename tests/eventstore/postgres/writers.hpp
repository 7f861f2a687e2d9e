#pragma once

#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"

#include <atomic>
#include <mutex>
#include <thread>

namespace recount::test {

/// Writers that append until told to stop, or that this is not the store they opened, and remember
/// what they were told.
class Writers {
public:
    Writers(EventStore& store, int count) {
        for (int i = 0; i < count; ++i) {
            threads_.emplace_back([this, &store, i](const std::stop_token& stop) {
                for (int n = 0; !stop.stop_requested(); ++n) {
                    if (!write(store, stream_of(i, n % 7))) return;
                }
            });
        }
    }
    void stop() { threads_.clear(); }
    [[nodiscard]] std::size_t acknowledged() const { return acknowledged_; }
    [[nodiscard]] std::size_t turned_away() const { return turned_away_; }
    [[nodiscard]] const std::vector<AppendResult>& committed() const { return committed_; }
    [[nodiscard]] const std::vector<Append>& open() const { return open_; }

private:
    static std::string stream_of(int writer, int n) {
        return "cart-" + std::to_string(writer) + "." + std::to_string(n);
    }

    bool write(EventStore& store, const std::string& stream) {
        const Append append = append_to(stream, Expected::any(), 2);
        try {
            AppendResult result = store.append(append);
            const std::lock_guard lock{mutex_};
            committed_.push_back(std::move(result));
            ++acknowledged_;
            return true;
        } catch (const Error& error) {
            const bool away = dynamic_cast<const Mismatch*>(&error) != nullptr;
            EXPECT_TRUE(away || error.retryable()) << error.what();
            const std::lock_guard lock{mutex_};
            open_.push_back(append);
            if (away) ++turned_away_;
            return !away;
        }
    }

    std::mutex mutex_;
    std::vector<AppendResult> committed_;
    std::vector<Append> open_;
    std::atomic<std::size_t> acknowledged_ = 0, turned_away_ = 0;
    std::vector<std::jthread> threads_;
};

}  // namespace recount::test
