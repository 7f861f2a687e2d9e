#include "eventstore/postgres/private_server.hpp"

#include "support/eventually.hpp"
#include "support/servers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
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
const passwd& server_user() {
    const passwd* user = ::getpwnam("postgres");
    if (user == nullptr) throw std::runtime_error("there is no user postgres to run a server");
    return *user;
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
    if (::chown(folder_.c_str(), server_user().pw_uid, server_user().pw_gid) != 0) {
        throw std::system_error(errno, std::generic_category(), folder_);
    }
}

PrivateServer::PrivateServer(const std::string& settings) : PrivateServer(free_port()) {
    initialise(settings);
    start();
}

PrivateServer::PrivateServer(Archiving) : PrivateServer(free_port()) {
    run_as_server(fmt::format("mkdir {}/archive", folder_));
    initialise(fmt::format(
        "archive_mode = on\narchive_command = 'test ! -f {0}/archive/%f && cp %p {0}/archive/%f'\n",
        folder_));
    start();
}

PrivateServer::PrivateServer(const OnSmallDisk& disk) : PrivateServer(free_port()) {
    disk_ = std::make_unique<SmallDisk>(folder_ + (disk.only_the_log ? "/wal" : "/data"),
                                        disk.megabytes, server_user().pw_uid, server_user().pw_gid);
    initialise("", disk.only_the_log ? fmt::format("--waldir={}/wal", folder_) : "");
    start();
}

void PrivateServer::initialise(const std::string& settings, const std::string& options) {
    run_as_server(
        fmt::format("{} -D {}/data -U recount --auth=trust --encoding=UTF8 "
                    "--locale=C --no-instructions --no-sync {}",
                    tool("initdb"), folder_, options));
    configure("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\ntimezone = 'UTC'\n" +
              settings);
}

PrivateServer::PrivateServer(const Following& following, const std::string& settings)
    : PrivateServer(free_port()) {
    run_as_server(fmt::format("{} -h 127.0.0.1 -p {} -U recount -D {}/data -c fast --no-sync",
                              tool("pg_basebackup"), following.primary.port_, folder_));
    run_as_server(fmt::format("touch {}/data/standby.signal", folder_));
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

void PrivateServer::back_up() {
    run_as_server(fmt::format("{} -h 127.0.0.1 -p {} -U recount -D {}/backup -c fast --no-sync",
                              tool("pg_basebackup"), port_, folder_));
}

void PrivateServer::note_point(const std::string& name) {
    const std::string ask =
        fmt::format("{} -h 127.0.0.1 -p {} -U recount -d postgres -At -c ", tool("psql"), port_);
    run_as_server(fmt::format("{} \"select pg_create_restore_point('{}')\"", ask, name));
    run_as_server(fmt::format(
        "sh -c 'file=$({0} \"select pg_walfile_name(pg_current_wal_lsn())\") && "
        "{0} \"select pg_switch_wal()\" && while ! test -f {1}/archive/$file; do sleep 0.1; done'",
        ask, folder_));
}

void PrivateServer::restore_to(const std::string& point) {
    stop_immediately();
    run_as_server(fmt::format("rm -r {}/data", folder_));
    run_as_server(fmt::format("mv {0}/backup {0}/data", folder_));
    run_as_server(fmt::format("touch {}/data/recovery.signal", folder_));
    configure(
        fmt::format("restore_command = 'cp {}/archive/%f %p'\nrecovery_target_name = '{}'\n"
                    "recovery_target_action = promote\n",
                    folder_, point));
    start();
    const std::string in_recovery = fmt::format(
        "{} -h 127.0.0.1 -p {} -U recount -d postgres -At -c \"select pg_is_in_recovery()\"",
        tool("psql"), port_);
    run_as_server(
        fmt::format("sh -c 'while test \"$({})\" != f; do sleep 0.1; done'", in_recovery));
}

/// What is said last holds.
void PrivateServer::configure(const std::string& settings) {
    std::ofstream{files() + "/data/postgresql.conf", std::ios::app} << settings
                                                                    << "port = " << port_ << '\n';
}

/// Where its files are seen from here.
std::string PrivateServer::files() const {
    return disk_ ? disk_->seen_from_here(folder_) : folder_;
}

void PrivateServer::run_as_server(const std::string& command) const {
    const std::string user = ::geteuid() == 0 ? "runuser -u postgres -- " : "";
    run("cd / && " + (disk_ ? disk_->let_in() : "") + user + command, folder_ + "/log");
}

void PrivateServer::pg_ctl(const std::string& action) {
    run_as_server(fmt::format("{} -D {}/data -w -t 60 {}", tool("pg_ctl"), folder_, action));
}

/// The one that the folder names, if it still runs there; 0 when none does.
pid_t PrivateServer::process() const {
    pid_t pid = 0;
    std::ifstream{files() + "/data/postmaster.pid"} >> pid;
    std::ifstream arguments{fmt::format("/proc/{}/cmdline", pid)};
    const std::string command{std::istreambuf_iterator<char>{arguments}, {}};
    return command.find(folder_) == std::string::npos ? 0 : pid;
}

}  // namespace recount::test
