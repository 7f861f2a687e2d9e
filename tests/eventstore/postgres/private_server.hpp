#pragma once

#include <string>

namespace recount::test {

/// A PostgreSQL of one test's own, for what must not be done to the shared one: crashes, settings.
/// Its data is in /var/tmp, as the server's user must be able to get there.
class PrivateServer {
public:
    /// `settings` are lines of postgresql.conf. Throws std::runtime_error with what the tools said.
    explicit PrivateServer(const std::string& settings = {});
    ~PrivateServer();
    PrivateServer(const PrivateServer&) = delete;
    PrivateServer& operator=(const PrivateServer&) = delete;

    [[nodiscard]] std::string url(const std::string& schema) const;
    void start();
    /// As a crash would: no checkpoint, no farewell to clients.
    void stop_immediately();

private:
    std::string folder_;
    int port_ = 0;
    bool running_ = false;
};

}  // namespace recount::test
