#include "eventstore/postgres/private_server.hpp"

#include "support/eventually.hpp"
#include "support/servers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace recount::test {
namespace {

std::string tool(const std::string& name) {
    for (const int version : {15, 16, 17}) {
        auto path = fmt::format("/usr/lib/postgresql/{}/bin/{}", version, name);
        if (std::filesystem::exists(path)) return path;
    }
    return name;
}

/// The server refuses to be run by root; then it is run by the user that its package brought.
std::string by_server_user(const std::string& command) {
    return ::geteuid() == 0 ? "cd / && runuser -u postgres -- " + command : command;
}

void run(const std::string& command, const std::string& log) {
    const std::string whole = fmt::format("{{ {}; }} >>{} 2>&1 </dev/null", command, log);
    if (std::system(whole.c_str()) != 0) {
        throw std::runtime_error(fmt::format("this failed, see {}: {}", log, command));
    }
}

int free_port() {
    const int handle = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(handle, reinterpret_cast<const sockaddr*>(&address), length);
    ::getsockname(handle, reinterpret_cast<sockaddr*>(&address), &length);
    ::close(handle);
    return ntohs(address.sin_port);
}

}  // namespace

PrivateServer::PrivateServer(int port)
    : folder_("/var/tmp/" + unique_name("recount-test-")), port_(port) {
    std::filesystem::create_directory(folder_);
    if (::geteuid() != 0) return;
    const passwd* user = ::getpwnam("postgres");
    if (user == nullptr || ::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
        throw std::runtime_error("there is no user postgres to run a server");
    }
}

PrivateServer::PrivateServer(const std::string& settings) : PrivateServer(free_port()) {
    run(by_server_user(fmt::format("{} -D {}/data -U recount --auth=trust --encoding=UTF8 "
                                   "--locale=C --no-instructions --no-sync",
                                   tool("initdb"), folder_)),
        folder_ + "/log");
    configure("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\ntimezone = 'UTC'\n" +
              settings);
    start();
}

PrivateServer::PrivateServer(const Following& following, const std::string& settings)
    : PrivateServer(free_port()) {
    run(by_server_user(fmt::format("{} -h 127.0.0.1 -p {} -U recount -D {}/data -c fast --no-sync",
                                   tool("pg_basebackup"), following.primary.port_, folder_)),
        folder_ + "/log");
    run(by_server_user(fmt::format("touch {}/data/standby.signal", folder_)), folder_ + "/log");
    configure(
        fmt::format("primary_conninfo = 'host=127.0.0.1 port={} user=recount "
                    "application_name={}'\nwal_retrieve_retry_interval = 100ms\n{}",
                    following.primary.port_, following.name, settings));
    start();
}

PrivateServer::~PrivateServer() {
    if (const pid_t pid = process(); pid != 0) {
        ::kill(pid, SIGQUIT);
        ::kill(pid, SIGCONT);
        if (!eventually([this] { return process() == 0; }, std::chrono::seconds{20})) {
            ::kill(pid, SIGKILL);  // its children notice, and end
        }
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string PrivateServer::url(const std::string& schema) const {
    return database() + "?schema=" + schema;
}

std::string PrivateServer::database() const {
    return fmt::format("postgresql://recount@127.0.0.1:{}/postgres", port_);
}

void PrivateServer::start() { pg_ctl(fmt::format("-l {}/data/server.log -s start", folder_)); }

void PrivateServer::stop_immediately() { pg_ctl("-m immediate -s stop"); }

void PrivateServer::promote() { pg_ctl("-s promote"); }

/// What is said last holds.
void PrivateServer::configure(const std::string& settings) {
    std::ofstream{folder_ + "/data/postgresql.conf", std::ios::app} << settings
                                                                    << "port = " << port_ << '\n';
}

void PrivateServer::pg_ctl(const std::string& action) {
    run(by_server_user(fmt::format("{} -D {}/data -w -t 60 {}", tool("pg_ctl"), folder_, action)),
        folder_ + "/log");
}

/// The one that the folder names, if it still runs there; 0 when none does.
pid_t PrivateServer::process() const {
    pid_t pid = 0;
    std::ifstream{folder_ + "/data/postmaster.pid"} >> pid;
    std::ifstream arguments{fmt::format("/proc/{}/cmdline", pid)};
    const std::string command{std::istreambuf_iterator<char>{arguments}, {}};
    return command.find(folder_) == std::string::npos ? 0 : pid;
}

}  // namespace recount::test
