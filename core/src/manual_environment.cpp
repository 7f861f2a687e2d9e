#include <recount/testing/manual_environment.hpp>

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <list>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace recount::test {

class ManualEnvironment::ManualSignal final : public Signal {
public:
    explicit ManualSignal(World& world) : world_(world) {}
    [[nodiscard]] std::uint64_t count() const override;
    void raise() override;
    bool wait(std::uint64_t seen, Duration at_most, std::stop_token stop) override;

private:
    friend class World;
    World& world_;
    std::uint64_t count_ = 0;
};

/// The clocks and everybody who waits for them, under one lock.
class ManualEnvironment::World final : public Clock, public Random, public Scheduler {
public:
    World(std::uint64_t seed, Timestamp now) : random_(seed), wall_(now) {}

    Timestamp now() override {
        std::lock_guard lock{mutex_};
        return wall_;
    }
    std::chrono::nanoseconds steady() override {
        std::lock_guard lock{mutex_};
        return steady_;
    }
    void fill(std::span<std::uint8_t> bytes) override;

    std::unique_ptr<Signal> signal() override { return std::make_unique<ManualSignal>(*this); }
    std::unique_ptr<Task> spawn(std::string name,
                                std::function<void(std::stop_token)> run) override;
    bool sleep(Duration duration, std::stop_token stop) override {
        wait(nullptr, 0, duration, stop);
        return !stop.stop_requested();
    }

    void advance(Duration duration) {
        std::lock_guard lock{mutex_};
        move_to(steady_ + duration);
    }
    void set_now(Timestamp now) {
        std::lock_guard lock{mutex_};
        wall_ = now;
    }

    std::uint64_t count(const ManualSignal& signal) {
        std::lock_guard lock{mutex_};
        return signal.count_;
    }
    void raise(ManualSignal& signal) {
        std::lock_guard lock{mutex_};
        ++signal.count_;
        wake([&](const Waiter& waiter) {
            return waiter.signal == &signal && waiter.seen < signal.count_;
        });
    }
    bool wait(const ManualSignal* signal, std::uint64_t seen, Duration at_most,
              const std::stop_token& stop);

    void task_began() {
        std::lock_guard lock{mutex_};
        ++busy_;
    }
    void task_runs() { inside_ = this; }
    void task_ended() {
        std::lock_guard lock{mutex_};
        --busy_;
        changed_.notify_all();
    }

private:
    struct Waiter {
        const ManualSignal* signal;
        std::uint64_t seen;
        std::chrono::nanoseconds deadline;
        bool task;  // of ours, so that it counts as busy when it does not wait
        bool ready = false;
    };

    template <class Which>
    void wake(Which&& which) {
        for (Waiter* waiter : waiting_) {
            if (waiter->ready || !which(*waiter)) continue;
            waiter->ready = true;
            if (waiter->task) ++busy_;
        }
        changed_.notify_all();
    }
    void move_to(std::chrono::nanoseconds moment) {
        wall_ += std::chrono::duration_cast<Duration>(moment - steady_);
        steady_ = moment;
        wake([&](const Waiter& waiter) { return waiter.deadline <= steady_; });
    }
    void move_to_next_deadline() {
        auto next = std::chrono::nanoseconds::max();
        for (const Waiter* waiter : waiting_) {
            if (!waiter->ready) next = std::min(next, waiter->deadline);
        }
        move_to(next);
    }

    static thread_local World* inside_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t random_;
    Timestamp wall_;
    std::chrono::nanoseconds steady_{0};
    int busy_ = 0;  // tasks that do not wait
    std::list<Waiter*> waiting_;
};

thread_local ManualEnvironment::World* ManualEnvironment::World::inside_ = nullptr;

/// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
void ManualEnvironment::World::fill(std::span<std::uint8_t> bytes) {
    std::lock_guard lock{mutex_};
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i, value >>= 8) {
        if (i % 8 == 0) {
            value = random_ += 0x9e3779b97f4a7c15;
            value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
            value = (value ^ value >> 27) * 0x94d049bb133111eb;
            value ^= value >> 31;
        }
        bytes[i] = static_cast<std::uint8_t>(value);
    }
}

bool ManualEnvironment::World::wait(const ManualSignal* signal, std::uint64_t seen,
                                    Duration at_most, const std::stop_token& stop) {
    static constexpr Duration longest = std::chrono::hours{24 * 365};
    Waiter waiter{signal, seen, {}, inside_ == this};
    const std::stop_callback stopped{stop, [&] {
                                         std::lock_guard lock{mutex_};
                                         wake([&](const Waiter& one) { return &one == &waiter; });
                                     }};
    std::unique_lock lock{mutex_};
    const auto raised = [&] { return signal != nullptr && signal->count_ > seen; };
    waiter.deadline = steady_ + std::clamp(at_most, Duration{0}, longest);
    if (raised() || waiter.deadline <= steady_ || stop.stop_requested()) return raised();

    waiting_.push_back(&waiter);
    if (waiter.task) {
        --busy_;
        changed_.notify_all();
    }
    while (!waiter.ready) {
        if (!waiter.task && busy_ == 0) {
            move_to_next_deadline();
        } else {
            changed_.wait(lock);
        }
    }
    waiting_.remove(&waiter);
    return raised();
}

class ManualEnvironment::ManualTask final : public Task {
public:
    ManualTask(World& world, std::function<void(std::stop_token)> run)
        : world_(world), ended_(world) {
        world_.task_began();
        thread_ = std::jthread{[this, run = std::move(run)](std::stop_token stop) {
            world_.task_runs();
            run(std::move(stop));
            ended_.raise();
            world_.task_ended();
        }};
    }
    ~ManualTask() override {
        thread_.request_stop();
        join();
    }

    void request_stop() override { thread_.request_stop(); }
    void join() override {
        // As long as others have to wait for the clock, so has the one who joins them.
        while (ended_.count() == 0) ended_.wait(0, std::chrono::hours{24}, {});
        if (thread_.joinable()) thread_.join();
    }

private:
    World& world_;
    ManualSignal ended_;
    std::jthread thread_;
};

std::unique_ptr<Task> ManualEnvironment::World::spawn(std::string,
                                                      std::function<void(std::stop_token)> run) {
    return std::make_unique<ManualTask>(*this, std::move(run));
}

std::uint64_t ManualEnvironment::ManualSignal::count() const { return world_.count(*this); }

void ManualEnvironment::ManualSignal::raise() { world_.raise(*this); }

bool ManualEnvironment::ManualSignal::wait(std::uint64_t seen, Duration at_most,
                                           std::stop_token stop) {
    return world_.wait(this, seen, at_most, stop);
}

ManualEnvironment::ManualEnvironment(std::uint64_t seed, Timestamp now)
    : world_(std::make_unique<World>(seed, now)),
      environment_{*world_, *world_, *world_, metrics_} {}

ManualEnvironment::~ManualEnvironment() = default;

Timestamp ManualEnvironment::now() const { return world_->now(); }

void ManualEnvironment::advance(Duration duration) { world_->advance(duration); }

void ManualEnvironment::set_now(Timestamp now) { world_->set_now(now); }

}  // namespace recount::test
