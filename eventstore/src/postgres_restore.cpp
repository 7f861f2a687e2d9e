#include "postgres_restore.hpp"

#include <recount/core/error.hpp>

#include <spdlog/fmt/fmt.h>

#include <array>

#include "postgres_pool.hpp"
#include "postgres_rows.hpp"
#include "postgres_setup.hpp"
#include "store_base.hpp"
#include "stores.hpp"

namespace recount::postgres {
namespace {

std::vector<LogHead> lock_heads(Session& session) {
    const Result rows = session.run(
        "select position, hash, recorded_at from partition order by partition for update");
    std::vector<LogHead> heads;
    for (std::size_t row = 0; row < rows.size(); ++row) heads.push_back(head_from(rows, row, 0));
    return heads;
}

void insert(Session& session, std::int32_t number, const Incarnation& incarnation) {
    static const std::string insert_incarnation =
        "insert into incarnation (number, id, parent, began_at, system_identifier, timeline) "
        "select $1, $2, $3, $4, here.* from " +
        std::string{this_server};
    const std::array row{integer(number), bytea(incarnation.id.view()),
                         bytea(incarnation.parent->view()),
                         bigint(microseconds(incarnation.began_at))};
    session.run(insert_incarnation, row);
    for (std::size_t i = 0; i < incarnation.forks.size(); ++i) {
        const LogHead& head = incarnation.forks[i];
        const std::array fork{integer(number), integer(static_cast<std::int32_t>(i)),
                              bigint(head.n), bytea(head.hash.view()),
                              bigint(microseconds(head.recorded_at))};
        session.run("insert into fork values ($1, $2, $3, $4, $5)", fork);
    }
    const std::array living{integer(number)};
    session.run("update partition set incarnation = $1", living);
}

}  // namespace

const std::string& living_and_here_tables() {
    static const std::string tables =
        "(select * from incarnation order by number desc limit 1) began, " +
        std::string{this_server};
    return tables;
}

void judge_server(const std::string& store, const SqlResult& row, std::size_t first,
                  const std::optional<Uuid>& opened) {
    if (row.null(0, first + 4)) {
        throw ServerError(
            fmt::format("{} is on a standby, which takes no writes; connect to the primary, with "
                        "target_session_attrs=read-write in a URL that names both",
                        store),
            true, "25006");
    }
    const auto value = [&](std::size_t column) { return row.integer(0, first + column); };
    if (value(1) != value(3) || value(2) != value(4)) {
        throw Mismatch(fmt::format(
            "{} was opened on the PostgreSQL system {}, timeline {}, and is now on system {}, "
            "timeline {}: it was restored or failed over, and the last commits may be missing; "
            "nothing is appended until you have looked and run `recount store declare-restored`",
            store, value(1), value(2), value(3), value(4)));
    }
    if (opened && Uuid::from(row.bytes(0, first)) != *opened)
        throw Mismatch(another_history(store));
}

void require_same_server(Session& session, const std::optional<Uuid>& opened) {
    if (!session.vouched()) require_living(session, opened);
}

void require_living(Session& session, const std::optional<Uuid>& opened) {
    static const std::string sql =
        fmt::format("select {} from {}", living_and_here, living_and_here_tables());
    judge_server(session.name(), session.run(sql).copy(), 0, opened);
    session.vouch();
}

std::string another_history(const std::string& store) {
    return fmt::format(
        "{} does not have the history that this program opened: it was declared restored since, or "
        "this is a server that was left behind by a failover; look which, and open it again",
        store);
}

Incarnation open_incarnation(Session& session, std::int32_t partitions, Environment& environment) {
    session.script("begin");
    try {
        // Behind the locks: nobody appends, and nobody else declares.
        auto heads = lock_heads(session);
        const auto incarnations = read_incarnations(session, partitions);
        Incarnation next = next_incarnation(incarnations.back(), std::move(heads), environment);
        insert(session, static_cast<std::int32_t>(incarnations.size()) + 1, next);
        session.commit();
        return next;
    } catch (...) {
        session.rollback();
        throw;
    }
}

}  // namespace recount::postgres

namespace recount {

Incarnation declare_postgres_restored(const std::string& url, StoreOptions options) {
    using namespace postgres;
    options.create = options.read_only = false;
    Environment& environment =
        options.environment == nullptr ? Environment::system() : *options.environment;
    Session session{parse_address(url),
                    {.timeout = options.timeout, .application = "recount store"}};
    const StoreFacts facts = set_up_store(session, options, environment);
    return open_incarnation(session, facts.identity.partitions, environment);
}

}  // namespace recount
