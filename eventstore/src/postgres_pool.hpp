#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <recount/core/environment.hpp>

#include "postgres_session.hpp"

namespace recount::postgres {

/// A bounded number of sessions of one store. Thread-safe.
class Pool {
public:
    Pool(Address address, SessionOptions options, std::size_t size, Environment& environment);

    /// A session for one caller at a time; given back by its destructor, thrown away when it was
    /// lost.
    class Borrowed {
    public:
        Borrowed(Pool& pool, std::unique_ptr<Session> session, bool fresh)
            : pool_(pool), session_(std::move(session)), fresh_(fresh) {}
        ~Borrowed() { pool_.give_back(std::move(session_)); }
        Borrowed(const Borrowed&) = delete;
        Borrowed& operator=(const Borrowed&) = delete;
        Session& operator*() { return *session_; }
        Session* operator->() { return session_.get(); }
        /// It was connected just now, so that its loss says something about the server.
        [[nodiscard]] bool fresh() const { return fresh_; }

    private:
        Pool& pool_;
        std::unique_ptr<Session> session_;
        bool fresh_;
    };

    /// Waits for a free one at most as long as statements may take; then throws Overloaded.
    Borrowed borrow();
    /// One now, if so many stay free for others; else nothing.
    std::unique_ptr<Borrowed> try_borrow(std::size_t spare);

    /// For what may be done twice: again on another session when an old one turns out to be lost.
    template <class Use>
    auto with_session(const Use& use) {
        for (;;) {
            Borrowed session = borrow();
            try {
                return use(*session);
            } catch (const Unavailable&) {
                if (session.fresh() || session->usable()) throw;
            }
        }
    }

private:
    void give_back(std::unique_ptr<Session> session);
    std::unique_ptr<Session> take_idle(bool& may_connect, std::size_t spare = 0);
    std::unique_ptr<Session> connect();

    const Address address_;
    const SessionOptions options_;
    const std::size_t size_;
    Environment& environment_;
    std::unique_ptr<Signal> returned_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Session>> idle_;
    std::size_t out_ = 0;
};

}  // namespace recount::postgres
