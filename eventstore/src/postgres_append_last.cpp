#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>
#include <recount/eventstore/postgres.hpp>

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <utility>

#include "postgres_append.hpp"
#include "postgres_restore.hpp"
#include "postgres_write.hpp"

namespace recount {

AppendResult append_and_commit(pqxx::transaction_base& transaction, EventStore& store,
                               const Append& append) {
    auto* const taking = dynamic_cast<postgres::TakesCallersTransaction*>(&store);
    if (taking == nullptr) {
        throw InvalidArgument(store.identity().name +
                              " is not in PostgreSQL, so that no transaction of libpqxx reaches "
                              "it; open it by a postgresql:// URL of that database");
    }
    postgres::CallersTransaction callers{transaction};
    return taking->append_and_commit(callers, append);
}

}  // namespace recount

namespace recount::postgres {

namespace {

/// What exactness rests on, whatever the caller's session has; gone with the transaction.
std::string settings(const std::string& schema, Duration timeout) {
    return fmt::format(
        // Fails unless the transaction that the caller began is still the connection's.
        "savepoint recount; release savepoint recount;"
        // A table of the caller's own named like one of ours comes behind it.
        "set local search_path = \"{0}\", pg_temp;"
        "set local lock_timeout = {1}; set local statement_timeout = {1};"
        "set local idle_in_transaction_session_timeout = {2};"
        "set local client_encoding = 'UTF8'; set local bytea_output = 'hex';"
        "set local client_min_messages = warning;"
        "set local jit = off; set local plan_cache_mode = force_generic_plan;"
        "select set_config('synchronous_commit', 'on', true) "
        "where current_setting('synchronous_commit') <> 'remote_apply';",
        schema, milliseconds(timeout), milliseconds(SessionOptions{}.idle));
}

/// Of the database and store that the transaction is in: number and name, id, and what
/// judge_server() looks at.
const std::string& where_it_is() {
    static const std::string sql = fmt::format(
        "select (select oid::bigint from pg_database where datname = current_database()), "
        "current_database(), store.id, {} from store, {}",
        living_and_here, living_and_here_tables());
    return sql;
}

/// From half a millisecond: two round trips within a rack.
Histogram& hold_times(Environment& environment) {
    return environment.metrics.histogram(
        "recount_append_lock_hold_seconds",
        "How long appends in a caller's transaction held partitions, to the answer of their commit",
        {}, {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});
}

}  // namespace

/// Makes the transaction one of the store's own, if it is in the store's database.
void Appender::enter(CallersTransaction& transaction) {
    std::call_once(placed_, [this] {
        const auto own = pool_.with_session([this](Session& session) {
            require_same_server(session, context_.identity.incarnation);
            return session.run(
                "select current_schema()::text, "
                "(select oid::bigint from pg_database where datname = current_database())");
        });
        schema_ = own.text(0, 0);
        database_ = own.integer(0, 1);
    });
    const auto elsewhere = [this](const std::string& there) {
        return Mismatch(fmt::format(
            "the transaction is in another place than {}: {}; connect it to the store's database",
            context_.identity.name, there));
    };
    try {
        const SqlResult place =
            transaction.script(settings(schema_, options_.patience) + where_it_is());
        if (place.integer(0, 0) != database_ || place.bytes(0, 2) != context_.identity.id.view()) {
            throw elsewhere(fmt::format("database '{}' has a schema '{}' of its own",
                                        place.text(0, 1), schema_));
        }
        judge_server(fmt::format("the transaction's copy of {}", context_.identity.name), place, 3,
                     context_.identity.incarnation);
    } catch (const ServerError& error) {
        if (error.state() == "42P01") throw elsewhere("there is no store in its database");
        if (error.state() == "25P01") {
            throw Error(
                "the transaction was ended by a statement within it, and nothing was appended; end "
                "it by append_and_commit() or an abort() only");
        }
        throw;
    }
}

/// Nothing when the log grew between look and write, or may have, of which nothing was written
/// then.
std::optional<AppendResult> Appender::try_last(CallersTransaction& transaction, AppendGroup group,
                                               const Touched& touched, bool lock) {
    if (lock) transaction.run(lock_only(touched));
    auto held_since = environment_.clock.steady();
    const KnownState known = known_at_once(touched, transaction.run(read_at_once(touched)), living_,
                                           context_.identity.name);
    if (heads_.lacks(touched.partitions)) {
        require_none(transaction.run(heads_without_last_event(touched.partitions)),
                     context_.identity.name);
    }
    if (lock) {
        heads_.read(touched, known, context_.identity.name);
    } else if (!heads_.may_be(touched, known)) {
        return {};  // another thread has gone on, or the store was put back
    }
    AppendPlan exact = plan(group, touched, known);
    if (exact.results.front().kind != AppendResult::Kind::committed) {
        transaction.abort();
        if (exact.results.front().kind == AppendResult::Kind::repeated) confirm_found();
        return std::move(exact.results.front());
    }
    if (!lock) held_since = environment_.clock.steady();
    const Statement writing =
        write_plan(exact, touched, known, living_,
                   [this](std::string_view type) { return schemas_.of(type).id; });
    if (!has_written(transaction.run(writing))) {
        if (!lock) return {};
        throw Error(
            fmt::format("{} changed under its own locks; look for what else writes its tables",
                        context_.identity.name));
    }
    // It has compared them under locks, which are held.
    if (!lock) heads_.read(touched, known, context_.identity.name);
    if (const auto closing = close_streams(exact)) transaction.run(*closing);
    transaction.commit();
    hold_times(environment_)
        .observe(std::chrono::duration<double>(environment_.clock.steady() - held_since).count());
    return std::move(committed(std::move(exact)).front());
}

AppendResult Appender::append_last(CallersTransaction& transaction, const Append& append) {
    const Append* const one = &append;
    const AppendGroup group{&one, 1};
    const Touched touched = touched_by(group, context_.identity.partitions);
    try {
        // The caller's own work comes to its end before anybody has to wait for it.
        transaction.check_constraints();
        schemas_.require(touched.types);
        enter(transaction);
        // What is read without locks is compared by the write; a second time it cannot have
        // changed.
        if (auto result = try_last(transaction, group, touched, false)) return std::move(*result);
        return *try_last(transaction, group, touched, true);
    } catch (const ServerError& error) {
        transaction.abort();
        if (!done_again(error.state())) throw;
        throw Contended(fmt::format(
            "others were faster and nothing was committed, run the whole transaction again: {}",
            error.what()));
    } catch (const InvalidArgument&) {
        throw;  // the transaction has ended, or is in use and as it was
    } catch (...) {
        transaction.abort();
        throw;
    }
}

}  // namespace recount::postgres
