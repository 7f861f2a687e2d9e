#include "postgres_announcer.hpp"

#include <array>
#include <exception>

namespace recount::postgres {

namespace {

constexpr Duration between = std::chrono::milliseconds{10};
constexpr Duration one_look = std::chrono::hours{1};

}  // namespace

Announcer::Announcer(const Address& address, std::string channel, Environment& environment)
    : environment_(environment),
      channel_(std::move(channel)),
      pool_(address, {.durable = false, .application = "recount announcer"}, 1, environment),
      signal_(environment.scheduler.signal()) {}

void Announcer::grown() noexcept {
    signal_->raise();
    const std::lock_guard lock{mutex_};
    if (task_) return;
    try {
        task_ = environment_.scheduler.spawn(
            "announcer", [this](const std::stop_token& stop) { announce(stop); });
    } catch (const std::exception&) {
        // No thread to be had: the next growth tries again. What is committed stays so.
    }
}

void Announcer::announce(const std::stop_token& stop) {
    const std::array channel{text(channel_)};
    std::uint64_t announced = 0;
    while (!stop.stop_requested()) {
        const std::uint64_t count = signal_->count();
        if (count == announced) {
            signal_->wait(count, one_look, stop);
            continue;
        }
        announced = count;
        try {
            pool_.with_session(
                [&](Session& session) { return session.run("select pg_notify($1, '')", channel); });
        } catch (const Error&) {
            // Nobody depends on it: whoever waits also looks from time to time.
        }
        environment_.scheduler.sleep(between, stop);
    }
}

}  // namespace recount::postgres
