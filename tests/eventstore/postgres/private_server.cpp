#include "eventstore/postgres/private_server.hpp"

#include "support/servers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

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

PrivateServer::PrivateServer(const std::string& settings)
    : folder_("/var/tmp/" + unique_name("recount-test-")), port_(free_port()) {
    std::filesystem::create_directory(folder_);
    if (::geteuid() == 0) {
        const passwd* user = ::getpwnam("postgres");
        if (user == nullptr || ::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
            throw std::runtime_error("there is no user postgres to run a server");
        }
    }
    run(by_server_user(fmt::format("{} -D {}/data -U recount --auth=trust --encoding=UTF8 "
                                   "--locale=C --no-instructions",
                                   tool("initdb"), folder_)),
        folder_ + "/log");
    std::ofstream{folder_ + "/data/postgresql.conf", std::ios::app}
        << "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nport = " << port_
        << "\ntimezone = 'UTC'\n"
        << settings;
    start();
}

PrivateServer::~PrivateServer() {
    try {
        if (running_) stop_immediately();
    } catch (const std::exception&) {
        return;  // its folder stays, and its log says why
    }
    std::filesystem::remove_all(folder_);
}

std::string PrivateServer::url(const std::string& schema) const {
    return fmt::format("postgresql://recount@127.0.0.1:{}/postgres?schema={}", port_, schema);
}

void PrivateServer::start() {
    run(by_server_user(fmt::format("{0} -D {1}/data -l {1}/data/server.log -w -t 60 -s start",
                                   tool("pg_ctl"), folder_)),
        folder_ + "/log");
    running_ = true;
}

void PrivateServer::stop_immediately() {
    run(by_server_user(
            fmt::format("{} -D {}/data -m immediate -w -t 60 -s stop", tool("pg_ctl"), folder_)),
        folder_ + "/log");
    running_ = false;
}

}  // namespace recount::test
