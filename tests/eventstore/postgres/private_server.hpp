#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "eventstore/postgres/small_disk.hpp"

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
    /// With a base backup and an archive of its log, from which it can be restored.
    struct Archiving {};
    explicit PrivateServer(Archiving archiving);
    /// Of which the data, or the write-ahead log alone, is on a disk of a few megabytes.
    struct OnSmallDisk {
        int megabytes;
        bool only_the_log;
    };
    explicit PrivateServer(const OnSmallDisk& disk);
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
    [[nodiscard]] bool running() const { return process() != 0; }

    void back_up();
    /// Notes a point in time, all before which is in the archive when this returns.
    void note_point(const std::string& name);
    /// Brings it back from its backup and the archive to a point, on a timeline of its own.
    void restore_to(const std::string& point);

    [[nodiscard]] const SmallDisk& disk() const { return *disk_; }

private:
    explicit PrivateServer(int port);  // with a folder, and nothing in it

    void initialise(const std::string& settings, const std::string& options = {});
    void configure(const std::string& settings);
    void run_as_server(const std::string& command) const;
    [[nodiscard]] std::string files() const;
    void pg_ctl(const std::string& action);
    [[nodiscard]] pid_t process() const;

    std::string folder_;
    int port_ = 0;
    std::unique_ptr<SmallDisk> disk_;
};

}  // namespace recount::test
