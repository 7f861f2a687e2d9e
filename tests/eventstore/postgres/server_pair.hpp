#pragma once

#include <pqxx/pqxx>

#include <set>
#include <string>

#include "eventstore/postgres/private_server.hpp"

namespace recount::test {

/// A primary and the hot standby that streams from it. Waits for what it is told to bring about;
/// throws std::runtime_error when that does not happen.
class ServerPair {
public:
    enum class Commits { wait_for_the_standby, do_not_wait };
    explicit ServerPair(Commits commits);

    /// Of both, so that whoever connects comes to the one that takes writes: the primary when both
    /// do.
    [[nodiscard]] std::string url() const;
    PrivateServer& primary() { return primary_; }
    PrivateServer& standby() { return standby_; }

    /// The standby has all that was committed.
    void catch_up();
    /// The standby receives nothing more, and goes on answering.
    void cut_off();
    void reconnect();
    /// The primary dies, and the standby takes its place with what it has.
    void fail_over();

    /// How many commits of the primary wait for the standby.
    [[nodiscard]] int waiting_commits() const;
    /// Tells each of them once to wait no longer, and no statement that follows it.
    void cancel_waiting_commits();

private:
    [[nodiscard]] int streaming() const;
    void follow(const std::string& how);

    PrivateServer primary_;
    PrivateServer standby_;
    std::set<std::string> cancelled_;
};

/// By a connection of its own.
pqxx::result ask(const PrivateServer& server, const std::string& sql);

}  // namespace recount::test
