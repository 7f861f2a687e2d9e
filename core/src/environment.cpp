#include <recount/core/environment.hpp>

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>

#include <pthread.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

namespace recount {
namespace {

/// Keeps deadlines within what the steady clock can count.
constexpr Duration longest_wait = std::chrono::hours{24 * 365};

Duration bounded(Duration duration) { return std::clamp(duration, Duration{0}, longest_wait); }

class SystemClock final : public Clock {
public:
    Timestamp now() override {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    std::chrono::nanoseconds steady() override {
        return std::chrono::steady_clock::now().time_since_epoch();
    }
};

std::atomic<unsigned> forks{0};

/// The kernel's generator, read a page at a time: ids and salts are made once for every event.
class SystemRandom final : public Random {
public:
    SystemRandom() {
        // A child process must not go on with what its parent had read ahead.
        pthread_atfork(nullptr, nullptr, [] { ++forks; });
    }

    void fill(std::span<std::uint8_t> bytes) override {
        Pool& pool = pool_of_thread();
        if (bytes.size() > pool.bytes.size()) return read_kernel(bytes);
        if (pool.left < bytes.size() || pool.fork != forks) {
            read_kernel(pool.bytes);
            pool.left = pool.bytes.size();
            pool.fork = forks;
        }
        pool.left -= bytes.size();
        std::uint8_t* from = pool.bytes.data() + pool.left;
        std::memcpy(bytes.data(), from, bytes.size());
        std::memset(from, 0, bytes.size());
    }

private:
    struct Pool {
        std::array<std::uint8_t, 1024> bytes;
        std::size_t left = 0;
        unsigned fork = 0;
    };

    static Pool& pool_of_thread() {
        thread_local Pool pool;
        return pool;
    }

    static void read_kernel(std::span<std::uint8_t> bytes) {
        while (!bytes.empty()) {
            const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) throw Error("the system gives no random bytes (getrandom failed)");
            bytes = bytes.subspan(static_cast<std::size_t>(got));
        }
    }
};

class SystemSignal final : public Signal {
public:
    [[nodiscard]] std::uint64_t count() const override {
        std::lock_guard lock{mutex_};
        return count_;
    }
    void raise() override {
        {
            std::lock_guard lock{mutex_};
            ++count_;
        }
        raised_.notify_all();
    }
    bool wait(std::uint64_t seen, Duration at_most, std::stop_token stop) override {
        std::unique_lock lock{mutex_};
        return raised_.wait_for(lock, std::move(stop), bounded(at_most),
                                [&] { return count_ > seen; });
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable_any raised_;
    std::uint64_t count_ = 0;
};

class SystemTask final : public Task {
public:
    SystemTask(std::string name, std::function<void(std::stop_token)> run)
        : thread_([name = std::move(name), run = std::move(run)](std::stop_token stop) {
              pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
              run(std::move(stop));
          }) {}

    void request_stop() override { thread_.request_stop(); }
    void join() override {
        if (thread_.joinable()) thread_.join();
    }

private:
    std::jthread thread_;
};

class SystemScheduler final : public Scheduler {
public:
    std::unique_ptr<Signal> signal() override { return std::make_unique<SystemSignal>(); }

    std::unique_ptr<Task> spawn(std::string name,
                                std::function<void(std::stop_token)> run) override {
        return std::make_unique<SystemTask>(std::move(name), std::move(run));
    }

    bool sleep(Duration duration, std::stop_token stop) override {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock{mutex};
        never.wait_for(lock, stop, bounded(duration), [] { return false; });
        return !stop.stop_requested();
    }
};

}  // namespace

std::uint64_t Random::next() {
    std::array<std::uint8_t, 8> bytes;
    fill(bytes);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return value;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

Environment& Environment::system() {
    // Never destroyed: threads may still ask for it while the process ends.
    static Environment& environment = [&]() -> Environment& {
        auto& metrics = *new Metrics;
        metrics
            .gauge("recount_build_info", "1, with the version of recount",
                   {{"version", RECOUNT_VERSION}})
            .set(1);
        return *new Environment{*new SystemClock, *new SystemRandom, *new SystemScheduler, metrics};
    }();
    return environment;
}

}  // namespace recount
