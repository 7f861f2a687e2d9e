#pragma once

#include <recount/core.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "account.hpp"
#include "support/eventually.hpp"

namespace recount::test {

/// A first command on account 1 holds the stream until the test lets it go; the others wait behind
/// it. `Base` has `accounts_` on Watched `streams_`.
template <class Base>
class QueuedCommands : public Base {
protected:
    QueuedCommands() {
        this->streams_.appends = 0;
        this->streams_.before_append = [this] {
            if (this->streams_.appends == 1) {
                held_ = true;
                EXPECT_TRUE(eventually([this] { return let_go_.load(); }));
            } else if (second_) {
                second_();
            }
        };
    }

    template <class Command>
    void begin(const Command& command, CommandOptions options = {}) {
        const std::size_t number = begun_++;
        threads_.emplace_back([this, command, options, number] {
            std::string said;
            try {
                const Outcome outcome = this->accounts_.handle("1", command, options);
                said = outcome ? "done" : outcome.rejection().code;
                if (outcome.repeated()) said += " before";
            } catch (const std::exception& error) {
                said = error.what();
            }
            const std::lock_guard lock{mutex_};
            said_[number] = said;
        });
        if (number == 0) {
            ASSERT_TRUE(eventually([this] { return held_.load(); }));
        } else {
            ASSERT_TRUE(eventually([&] { return this->accounts_.waiting("1") == begun_ - 1; }));
        }
    }

    void end() {
        let_go_ = true;
        threads_.clear();
    }

    std::function<void()> second_;  // before the appends behind the first
    std::map<std::size_t, std::string> said_;

private:
    std::atomic<bool> held_ = false, let_go_ = false;
    std::size_t begun_ = 0;
    std::mutex mutex_;
    std::vector<std::jthread> threads_;
};

}  // namespace recount::test
