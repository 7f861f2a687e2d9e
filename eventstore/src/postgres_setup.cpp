#include "postgres_setup.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <recount_sql/recount_eventstore.hpp>

#include <array>
#include <exception>

#include "known_faults.hpp"
#include "postgres_restore.hpp"
#include "postgres_rows.hpp"
#include "store_base.hpp"

namespace recount::postgres {

namespace {

constexpr std::int32_t default_partitions = 16;
/// From each version to the next; never changed once released.
constexpr std::array migrations{sql::postgres_store_0001, sql::postgres_store_0002,
                                sql::postgres_store_0003, sql::postgres_store_0004,
                                sql::postgres_store_0005, sql::postgres_store_0006};
constexpr auto newest_migration = static_cast<std::int64_t>(migrations.size());
constexpr std::int32_t oldest_server = 120'000;  // server_version_num: `as materialized`
constexpr Duration most_skew = std::chrono::seconds{1};

void check_setting(const std::string& store, const std::string& name, std::string_view is,
                   const std::string& must_be, const std::string& because) {
    if (is == must_be) return;
    throw Mismatch(fmt::format("{} runs with {} = {}: {}; set it to {} in postgresql.conf", store,
                               name, is, because, must_be));
}

void check_clock(const std::string& store, Timestamp before, Timestamp there, Timestamp after) {
    const Duration skew = there < before  ? before - there
                          : there > after ? there - after
                                          : Duration{};
    if (skew <= most_skew) return;
    throw Mismatch(fmt::format(
        "the clock here and that of {} differ by {} ms: events would carry times that mislead; "
        "synchronise both machines' clocks (NTP) to within a second",
        store, std::chrono::duration_cast<std::chrono::milliseconds>(skew).count()));
}

/// Returns what there is to be warned of.
std::vector<std::string> check_server(Session& session, Environment& environment) {
    const Timestamp before = environment.clock.now();
    const Result facts = session.run(
        "select current_setting('fsync'), current_setting('full_page_writes'), "
        "current_setting('server_encoding'), "
        "(extract(epoch from clock_timestamp()) * 1000000)::bigint, "
        "current_setting('server_version_num')::integer, current_setting('server_version')");
    const Timestamp after = environment.clock.now();
    const auto version = static_cast<std::int32_t>(facts.integer(0, 4));
    if (version < oldest_server) {
        throw Mismatch(fmt::format(
            "{} is kept by PostgreSQL {}, which lacks what appends are written with; use version "
            "{} or newer",
            session.name(), facts.text(0, 5), oldest_server / 10'000));
    }
    check_setting(session.name(), "fsync", facts.text(0, 0), "on",
                  "a crash of its machine would lose or tear what was acknowledged");
    check_setting(session.name(), "full_page_writes", facts.text(0, 1), "on",
                  "a crash of its machine could leave half-written pages");
    if (facts.text(0, 2) != "UTF8") {
        throw Mismatch(
            fmt::format("{} keeps text as {}: names of streams could not all be kept; create "
                        "a database with encoding 'UTF8'",
                        session.name(), facts.text(0, 2)));
    }
    check_clock(session.name(), before, time_from(facts.integer(0, 3)), after);
    std::vector<std::string> warnings = known_faults_of_postgres(version);
    for (const std::string& each : warnings) spdlog::warn("{}: {}", session.name(), each);
    return warnings;
}

bool has_tables(Session& session) {
    // Not by to_regclass(): within a transaction it may answer from before a lock was waited for.
    return !session
                .run(
                    "select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n "
                    "on n.oid = c.relnamespace "
                    "where c.relname = 'migration' and n.nspname = current_schema()")
                .empty();
}

/// Within the caller's transaction.
void migrate(Session& session, std::int64_t from, Environment& environment) {
    for (auto number = from; number < newest_migration; ++number) {
        session.script(migrations.at(static_cast<std::size_t>(number)));
        const std::array migration{bigint(number + 1),
                                   bigint(microseconds(environment.clock.now()))};
        session.run("insert into migration values ($1::bigint, $2)", migration);
    }
}

void insert_store(Session& session, std::int32_t partitions, Environment& environment) {
    const StoreIdentity identity = new_identity(partitions, {}, environment);
    const Timestamp now = environment.clock.now();
    const std::array store{bytea(identity.id.view()), integer(partitions),
                           bigint(microseconds(now))};
    session.run("insert into store (id, partitions, created_at) values ($1, $2, $3)", store);
    const std::array first{bytea(identity.incarnation.view()), bigint(microseconds(now))};
    const std::string insert_first =
        "insert into incarnation (number, id, began_at, system_identifier, timeline) "
        "select 1, $1, $2, here.* from " +
        std::string{this_server};
    session.run(insert_first, first);
    const std::array heads{integer(partitions), bytea(Hash{}.view())};
    session.run(
        "insert into partition (partition, incarnation, position, hash, recorded_at) "
        "select i, 1, 0, $2, 0 from generate_series(0, $1 - 1) i",
        heads);
}

/// One transaction that no other process sets the store up in; the second finds what the first
/// made.
template <class Work>
void alone(Session& session, const Work& work) {
    session.script("begin");
    try {
        session.run(
            "select pg_advisory_xact_lock(hashtextextended("
            "'recount store ' || current_schema(), 0))");
        work();
        session.commit();
    } catch (...) {
        session.rollback();
        throw;
    }
}

void create_store(Session& session, const StoreOptions& options, Environment& environment) {
    if (!options.create || options.read_only) {
        throw Missing(
            fmt::format("{} holds no store; correct the URL, or open it with leave to create one",
                        session.name()));
    }
    try {
        alone(session, [&] {
            if (has_tables(session)) return;
            migrate(session, 0, environment);
            insert_store(session, options.partitions.value_or(default_partitions), environment);
        });
    } catch (const ServerError& error) {
        if (error.state() != "42P07") throw;
        throw Mismatch(fmt::format(
            "{} holds tables of something else; name a schema of the store's own", session.name()));
    }
}

std::int64_t version_of(Session& session) {
    const Result newest = session.run("select max(number)::bigint from migration");
    return newest.null(0, 0) ? 0 : newest.integer(0, 0);
}

/// True when the store is of an older version and may be upgraded.
bool check_version(Session& session, const StoreOptions& options) {
    const std::int64_t version = version_of(session);
    const bool older = version >= 1 && version < newest_migration;
    if (version == newest_migration) return false;
    if (older && !options.read_only) return true;
    throw Mismatch(fmt::format(
        "{} has tables of version {}, this program knows version {}; {}", session.name(), version,
        newest_migration,
        older ? "open it once to be written, which upgrades it" : "use a newer version of it"));
}

}  // namespace

std::vector<Incarnation> read_incarnations(Session& session, std::int32_t partitions) {
    const Result rows =
        session.run("select number, id, parent, began_at from incarnation order by number");
    const Result forks =
        session.run("select incarnation, partition, position, hash, recorded_at from fork");
    std::vector<Incarnation> incarnations;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Incarnation& each = incarnations.emplace_back();
        each.id = Uuid::from(rows.bytes(row, 1));
        if (!rows.null(row, 2)) each.parent = Uuid::from(rows.bytes(row, 2));
        each.began_at = time_from(rows.integer(row, 3));
        each.forks.resize(static_cast<std::size_t>(partitions));
    }
    for (std::size_t row = 0; row < forks.size(); ++row) {
        incarnations.at(static_cast<std::size_t>(forks.integer(row, 0) - 1))
            .forks.at(static_cast<std::size_t>(forks.integer(row, 1))) = head_from(forks, row, 2);
    }
    return incarnations;
}

SessionOptions session_options(const StoreOptions& options) {
    return {.create_schema = options.create && !options.read_only,
            .read_only = options.read_only,
            .timeout = options.timeout,
            .plan_once = true,
            .application = "recount store"};
}

StoreFacts set_up_store(Session& session, const StoreOptions& options, Environment& environment) {
    StoreFacts facts;
    facts.warnings = check_server(session, environment);
    if (!has_tables(session)) create_store(session, options, environment);
    const bool older = check_version(session, options);
    const Result store = session.run("select id, partitions from store");
    if (store.size() != 1) {
        throw Mismatch(fmt::format("{} holds no whole store; restore a backup", session.name()));
    }
    facts.identity.id = Uuid::from(store.bytes(0, 0));
    facts.identity.partitions = static_cast<std::int32_t>(store.integer(0, 1));
    facts.identity.name = session.name();
    if (options.partitions && *options.partitions != facts.identity.partitions) {
        throw Mismatch(
            fmt::format("{} has {} partitions, not {}: a store keeps the number it was created "
                        "with; open it with "
                        "that, or copy it into a new store",
                        session.name(), facts.identity.partitions, *options.partitions));
    }
    // Only now is it the one that was meant.
    if (older) alone(session, [&] { migrate(session, version_of(session), environment); });
    facts.incarnations = read_incarnations(session, facts.identity.partitions);
    facts.identity.incarnation = facts.incarnations.back().id;
    return facts;
}

}  // namespace recount::postgres
