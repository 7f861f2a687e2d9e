#include "postgres_pool.hpp"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

namespace recount::postgres {

Pool::Pool(Address address, SessionOptions options, std::size_t size, Environment& environment)
    : address_(std::move(address)),
      options_(std::move(options)),
      size_(std::max<std::size_t>(size, 1)),
      environment_(environment),
      returned_(environment.scheduler.signal()) {}

std::unique_ptr<Session> Pool::take_idle(bool& may_connect, std::size_t spare) {
    const std::lock_guard lock{mutex_};
    may_connect = false;
    if (out_ + spare >= size_) return nullptr;
    ++out_;
    if (idle_.empty()) {
        may_connect = true;
        return nullptr;
    }
    auto session = std::move(idle_.back());
    idle_.pop_back();
    return session;
}

std::unique_ptr<Session> Pool::connect() {
    try {
        return std::make_unique<Session>(address_, options_);
    } catch (...) {
        give_back(nullptr);
        throw;
    }
}

std::unique_ptr<Pool::Borrowed> Pool::try_borrow(std::size_t spare) {
    bool may_connect = false;
    auto session = take_idle(may_connect, spare);
    if (!session && !may_connect) return {};
    if (may_connect) session = connect();
    return std::make_unique<Borrowed>(*this, std::move(session), may_connect);
}

Pool::Borrowed Pool::borrow() {
    const auto deadline = environment_.clock.steady() + options_.timeout;
    for (;;) {
        const std::uint64_t seen = returned_->count();
        bool may_connect = false;
        if (auto session = take_idle(may_connect)) return {*this, std::move(session), false};
        if (may_connect) return {*this, connect(), true};
        const auto left =
            std::chrono::duration_cast<Duration>(deadline - environment_.clock.steady());
        if (left <= Duration::zero() || !returned_->wait(seen, left, {})) {
            throw Overloaded(
                fmt::format("all {} connections of schema '{}' have been busy for {} ms; try "
                            "again, or open the "
                            "store with more connections",
                            size_, address_.schema, options_.timeout.count() / 1000));
        }
    }
}

void Pool::give_back(std::unique_ptr<Session> session) {
    {
        const std::lock_guard lock{mutex_};
        --out_;
        // The others are as old, and most likely lost with it.
        if (session && !session->usable()) idle_.clear();
        if (session && session->usable()) idle_.push_back(std::move(session));
    }
    returned_->raise();
}

}  // namespace recount::postgres
