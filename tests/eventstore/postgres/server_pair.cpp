#include "eventstore/postgres/server_pair.hpp"

#include "support/eventually.hpp"

#include <spdlog/fmt/fmt.h>

#include <functional>
#include <stdexcept>

namespace recount::test {
namespace {

constexpr const char* schema = "shop";

void require(const std::function<bool()>& condition, const char* what) {
    if (!eventually(condition)) throw std::runtime_error(std::string{what} + " never came to be");
}

int number(const PrivateServer& server, const std::string& sql) {
    return ask(server, sql)[0][0].as<int>();
}

}  // namespace

pqxx::result ask(const PrivateServer& server, const std::string& sql) {
    pqxx::connection connection{server.database()};
    return pqxx::nontransaction{connection}.exec(sql);
}

ServerPair::ServerPair(Commits commits)
    : primary_(commits == Commits::wait_for_the_standby ? "synchronous_standby_names = 'other'\n"
                                                        : ""),
      standby_({primary_, "other"}, "synchronous_standby_names = ''\n") {
    require([this] { return streaming() == 1; }, "a standby that streams");
}

std::string ServerPair::url() const {
    return fmt::format(
        "postgresql://recount@127.0.0.1:{},127.0.0.1:{}/postgres?schema={}"
        "&target_session_attrs=read-write",
        primary_.port(), standby_.port(), schema);
}

int ServerPair::streaming() const {
    return number(primary_, "select count(*) from pg_stat_replication where state = 'streaming'");
}

void ServerPair::catch_up() {
    const auto end = ask(primary_, "select pg_current_wal_flush_lsn()")[0][0].as<std::string>();
    const auto behind = fmt::format("select (pg_last_wal_replay_lsn() < '{}')::integer", end);
    require([&] { return number(standby_, behind) == 0; }, "a standby that has everything");
}

void ServerPair::cut_off() {
    follow("set primary_conninfo = ''");
    require([&] { return number(primary_, "select count(*) from pg_stat_replication") == 0; },
            "a standby that receives nothing");
}

void ServerPair::reconnect() {
    follow("reset primary_conninfo");
    require([this] { return streaming() == 1; }, "a standby that streams again");
}

void ServerPair::follow(const std::string& how) {
    ask(standby_, "alter system " + how);
    ask(standby_, "select pg_reload_conf()");
}

void ServerPair::fail_over() {
    primary_.stop_immediately();
    standby_.promote();
}

int ServerPair::waiting_commits() const {
    return number(primary_, "select count(*) from pg_stat_activity where wait_event = 'SyncRep'");
}

void ServerPair::cancel_waiting_commits() {
    const auto waiting =
        ask(primary_, "select pid, query_start from pg_stat_activity where wait_event = 'SyncRep'");
    for (const auto& row : waiting) {
        const auto pid = row[0].as<std::string>();
        if (!cancelled_.insert(pid + " " + row[1].as<std::string>()).second) continue;
        ask(primary_, fmt::format("select pg_cancel_backend({})", pid));
    }
}

}  // namespace recount::test
