#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "group_commit.hpp"
#include "support/eventually.hpp"

namespace recount::test {

/// Moves when the test says so.
class StillClock final : public Clock {
public:
    Timestamp now() override { return Environment::system().clock.now(); }
    std::chrono::nanoseconds steady() override {
        return std::chrono::nanoseconds{running_ ? steady_ += 1'000'000 : steady_.load()};
    }
    /// From now on it moves by itself.
    void run() { running_ = true; }
    void pass(std::chrono::nanoseconds time) { steady_ += time.count(); }

private:
    std::atomic<std::int64_t> steady_ = 1;
    std::atomic<bool> running_ = false;
};

/// Counts who waits for a time that ends.
class WatchedScheduler final : public Scheduler {
public:
    std::unique_ptr<Signal> signal() override {
        return std::make_unique<Watched>(system_.signal(), *this);
    }
    std::unique_ptr<Task> spawn(std::string name,
                                std::function<void(std::stop_token)> run) override {
        return system_.spawn(std::move(name), std::move(run));
    }
    bool sleep(Duration duration, std::stop_token stop) override {
        return system_.sleep(duration, stop);
    }

    std::atomic<int> waits = 0, short_waits = 0;

private:
    class Watched final : public Signal {
    public:
        Watched(std::unique_ptr<Signal> signal, WatchedScheduler& watched)
            : signal_(std::move(signal)), watched_(watched) {}
        [[nodiscard]] std::uint64_t count() const override { return signal_->count(); }
        void raise() override { signal_->raise(); }
        bool wait(std::uint64_t seen, Duration at_most, std::stop_token stop) override {
            ++watched_.waits;
            if (at_most < std::chrono::hours{1}) ++watched_.short_waits;
            return signal_->wait(seen, at_most, stop);
        }

    private:
        std::unique_ptr<Signal> signal_;
        WatchedScheduler& watched_;
    };
    Scheduler& system_ = Environment::system().scheduler;
};

/// Each commit waits at a gate, and takes an hour of a clock that stands still meanwhile.
class GroupsThatTakeAnHour : public testing::Test {
protected:
    ~GroupsThatTakeAnHour() override {
        open_ = 1'000'000;
        clock_.pass(std::chrono::hours{1});
        clock_.run();
        callers_.clear();
    }

    void make(GroupLimits limits) {
        groups_ = std::make_unique<GroupCommit>(
            environment_, "store", [this](AppendGroup group) { return commit(group); }, limits);
    }

    std::vector<AppendResult> commit(AppendGroup group) {
        int number = 0;
        {
            const std::lock_guard lock{mutex_};
            auto& ids = committed_.emplace_back();
            for (const Append* append : group) ids.push_back(append->metadata.command_id);
            number = static_cast<int>(committed_.size());
        }
        EXPECT_TRUE(eventually([&] { return open_ >= number; }));
        return std::vector<AppendResult>(group.size());
    }

    /// Returns when it waits or is on its way.
    void come(const std::string& id, const std::string& stream = "cart-1") {
        const int before = scheduler_.waits;
        callers_.emplace_back([this, id, stream] {
            Append append;
            append.metadata.command_id = id;
            append.writes.push_back({StreamName::parse(stream), Expected::any(), {{"t.E", "x"}}});
            groups_->append({&append, 1});
        });
        ASSERT_TRUE(eventually([&] { return scheduler_.waits > before || is_committed(id); }));
    }

    void end_next() {
        clock_.pass(std::chrono::hours{1});
        ++open_;
    }

    std::vector<std::vector<std::string>> committed() {
        const std::lock_guard lock{mutex_};
        return committed_;
    }

    bool is_committed(const std::string& id) {
        const auto groups = committed();
        return std::ranges::any_of(
            groups, [&](const auto& group) { return std::ranges::find(group, id) != group.end(); });
    }

    bool begins(std::size_t number) {
        return eventually([&] { return committed().size() == number; });
    }

    /// Somebody has found that it is too early.
    bool somebody_waits() {
        const int before = scheduler_.short_waits;
        return eventually([&] { return scheduler_.short_waits > before; });
    }

    StillClock clock_;
    WatchedScheduler scheduler_;
    Environment environment_{clock_, Environment::system().random, scheduler_,
                             Environment::system().metrics};
    std::mutex mutex_;
    std::vector<std::vector<std::string>> committed_;
    std::atomic<int> open_ = 0;
    std::unique_ptr<GroupCommit> groups_;
    std::vector<std::jthread> callers_;
};

}  // namespace recount::test
