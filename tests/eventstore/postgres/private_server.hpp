#pragma once

#include <sys/types.h>

#include <string>

namespace recount::test {

/// A PostgreSQL of one test's own, for what must not be done to the shared one: crashes, settings.
/// Its data is in /var/tmp, as the server's user must be able to get there.
class PrivateServer {
public:
    /// `settings` are lines of postgresql.conf. Throws std::runtime_error with what the tools said.
    explicit PrivateServer(const std::string& settings = {});
    struct Following {
        const PrivateServer& primary;
        std::string name;  // for synchronous_standby_names
    };
    /// A hot standby that streams from a primary; made from a copy of it, settings included.
    explicit PrivateServer(const Following& following, const std::string& settings = {});
    /// Ends it also when it was stopped (SIGSTOP), or has died.
    ~PrivateServer();
    PrivateServer(const PrivateServer&) = delete;
    PrivateServer& operator=(const PrivateServer&) = delete;

    [[nodiscard]] std::string url(const std::string& schema) const;
    [[nodiscard]] std::string database() const;  // its URL
    [[nodiscard]] int port() const { return port_; }
    void start();
    /// As a crash would: no checkpoint, no farewell to clients.
    void stop_immediately();
    /// A standby becomes a primary, on a timeline of its own.
    void promote();

private:
    explicit PrivateServer(int port);  // with a folder, and nothing in it

    void configure(const std::string& settings);
    void pg_ctl(const std::string& action);
    [[nodiscard]] pid_t process() const;

    std::string folder_;
    int port_ = 0;
};

}  // namespace recount::test
