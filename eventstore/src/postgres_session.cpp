#include "postgres_session.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdint>
#include <exception>

namespace recount::postgres {

std::int64_t milliseconds(Duration duration) {
    return std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(duration).count(),
                                    0, INT32_MAX);
}

namespace {

constexpr std::size_t max_prepared = 256;
constexpr Duration grace = std::chrono::seconds{2};  // the server's own time-outs come first

Link connect(const Address& address, const SessionOptions& options) {
    try {
        return Link{{address.connection, options.application, options.timeout,
                     std::min<Duration>(options.timeout, std::chrono::hours{24 * 365}) + grace}};
    } catch (const Lost& lost) {
        throw Unavailable(
            fmt::format("PostgreSQL cannot be reached: {}; start it or correct the URL", lost.why));
    }
}

}  // namespace

/// Turns the loss of the connection into what it means to the caller.
template <class Use>
auto Session::guarded(bool commits, const Use& use) {
    if (!usable_) {
        throw Unavailable(fmt::format("{} was lost before; begin a new transaction", name_));
    }
    try {
        return use();
    } catch (const Lost& lost) {
        usable_ = false;
        // 25P03: the server had ended the idle transaction before it read our commit.
        if (commits && lost.state != "25P03") {
            throw OutcomeUnknown(fmt::format(
                "{} was lost while it committed: {}; send the same again", name_, lost.why));
        }
        throw Unavailable(
            fmt::format("{} was lost: {}; nothing was committed, try again", name_, lost.why));
    }
}

Session::Session(const Address& address, const SessionOptions& options)
    : link_(connect(address, options)),
      name_(fmt::format("{}?schema={}", link_.place(), address.schema)) {
    set_up(options);
    find_schema(address, options);
    script(fmt::format("set search_path = \"{}\"", address.schema));
}

/// Everything a role or a database could have set otherwise, and that exactness rests on.
void Session::set_up(const SessionOptions& options) {
    script(
        fmt::format("set default_transaction_isolation = 'read committed';"
                    "set default_transaction_read_only = {};"
                    "set standard_conforming_strings = on;"
                    "set lock_timeout = {};"
                    "set statement_timeout = {};"
                    "set idle_in_transaction_session_timeout = {};"
                    "set client_min_messages = warning;"
                    "set timezone = 'UTC';"
                    "set bytea_output = 'hex';"
                    "set extra_float_digits = 1;"
                    "set jit = off;"
                    "set plan_cache_mode = {};",
                    options.read_only ? "on" : "off", milliseconds(options.timeout),
                    milliseconds(options.timeout), milliseconds(options.idle),
                    options.plan_once ? "force_generic_plan" : "auto"));
    // A plan that is made while tables are small would read them whole for as long as it is used.
    if (options.plan_once) {
        script(
            "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off;"
            "set enable_bitmapscan = off");
    }
    // remote_apply promises more than on does.
    script(options.durable ? "select set_config('synchronous_commit', 'on', false) "
                             "where current_setting('synchronous_commit') <> 'remote_apply'"
                           : "set synchronous_commit = off");
}

void Session::find_schema(const Address& address, const SessionOptions& options) {
    const Parameter schema = text(address.schema);
    const auto there = [&] {
        return !run("select 1 from pg_catalog.pg_namespace where nspname = $1", {&schema, 1})
                    .empty();
    };
    if (there()) return;
    if (!options.create_schema) {
        throw Missing(
            fmt::format("{} has no schema '{}'; correct the URL, or allow it to be created",
                        link_.place(), address.schema));
    }
    try {
        script(fmt::format("create schema \"{}\"", address.schema));
    } catch (const ServerError&) {
        if (!there()) throw;  // somebody else was faster
    }
}

const Prepared& Session::prepared(std::string_view sql, std::span<const Parameter> parameters) {
    if (const Prepared* known = prepared_.find(sql, parameters)) return *known;
    return prepared_.add(prepare(sql, parameters));
}

Prepared Session::prepare(std::string_view sql, std::span<const Parameter> parameters) {
    Prepared statement{std::string{sql}, {}, fmt::format("s{}", ++prepared_count_)};
    for (const Parameter& each : parameters) statement.types.push_back(each.type);
    link_.begin_pipeline();
    link_.prepare(statement.name, statement.sql, parameters);
    link_.describe(statement.name);
    link_.sync();
    const Answer made = link_.answer();
    const Answer described = link_.answer();
    link_.end_pipeline();
    if (made.failure) refuse(*made.failure, sql);
    if (described.failure) refuse(*described.failure, sql);
    for (const std::uint32_t type : described.rows.types()) {
        if (!reads_binary(type)) statement.binary_rows = false;
    }
    return statement;
}

void Session::forget_statements() {
    if (prepared_.size() < max_prepared) return;
    link_.query("deallocate all");
    if (!link_.answer().failure) prepared_.clear();
}

Result Session::run(std::string_view sql, std::span<const Parameter> parameters) {
    return guarded(false, [&] {
        forget_statements();
        const Prepared& statement = prepared(sql, parameters);
        link_.begin_pipeline();
        link_.execute(statement.name, parameters, statement.binary_rows);
        link_.sync();
        Answer answer = link_.answer();
        link_.end_pipeline();
        if (answer.failure) refuse(*answer.failure, sql);
        return std::move(answer.rows);
    });
}

std::vector<Result> Session::run_all(std::span<const Statement> statements) {
    return guarded(false, [&] {
        forget_statements();
        return pipeline(statements);
    });
}

void Session::run_rows(std::span<const Statement> statements, const TakeRow& take) {
    bool wanted = true;
    std::exception_ptr thrown;
    const auto take_wanted = [&](std::size_t statement, const Result& row) {
        try {
            wanted = wanted && take(statement, row);
        } catch (...) {
            wanted = false;
            thrown = std::current_exception();
        }
    };
    try {
        guarded(false, [&] {
            forget_statements();
            pipeline(statements, take_wanted);
        });
    } catch (const Error&) {
        if (wanted) throw;
    }
    if (thrown) std::rethrow_exception(thrown);
}

std::vector<Result> Session::run_and_commit(std::span<const Statement> statements) {
    guarded(false, [&] {
        link_.look();
        forget_statements();
        for (const Statement& each : statements) prepared(each.sql, each.parameters);
    });
    static_cast<void>(link_.warned());
    return guarded(true, [&] {
        auto results = pipeline(statements);
        if (link_.warned()) check_committed(true, "");
        return results;
    });
}

std::vector<Result> Session::pipeline(std::span<const Statement> statements,
                                      const std::function<void(std::size_t, const Result&)>& take) {
    std::vector<const Prepared*> plans;
    for (const Statement& each : statements) plans.push_back(&prepared(each.sql, each.parameters));
    link_.begin_pipeline();
    for (std::size_t i = 0; i < statements.size(); ++i) {
        link_.execute(plans[i]->name, statements[i].parameters, true);
    }
    link_.sync();
    std::vector<Result> results;
    std::optional<Failure> failure;
    std::string_view failed;
    std::string command;
    for (std::size_t i = 0; i < statements.size(); ++i) {
        // Behind a failure nothing was run, and nothing can be asked of it.
        Answer answer = take && !failure ? link_.answer([&](const Result& row) { take(i, row); })
                                         : link_.answer();
        if (answer.failure && !failure) {
            failure = std::move(answer.failure);
            failed = statements[i].sql;
        }
        command = std::move(answer.command);
        results.push_back(std::move(answer.rows));
    }
    auto late = link_.end_pipeline();
    if (failure) refuse(*failure, failed);
    if (late) refuse(*late, "commit");
    if (!statements.empty() && statements.back().sql == "commit") {
        check_committed(false, command);
    }
    return results;
}

void Session::copy(std::string_view script, const std::function<bool(std::string& bytes)>& more) {
    guarded(false, [&] {
        link_.query(std::string{script});
        if (const auto failure = link_.copying()) refuse(*failure, script);
        usable_ = false;
        std::string bytes;
        for (bool again = true; again;) {
            bytes.clear();
            again = more(bytes);
            link_.copy(bytes);
        }
        const Answer answer = link_.end_copy();
        usable_ = true;
        if (answer.failure) refuse(*answer.failure, script);
    });
}

void Session::script(std::string_view text) {
    guarded(false, [&] {
        link_.query(std::string{text});
        const Answer answer = link_.answer();
        if (answer.failure) refuse(*answer.failure, text);
    });
}

void Session::commit() {
    static_cast<void>(link_.warned());
    guarded(true, [&] {
        link_.query("commit");
        const Answer answer = link_.answer();
        if (answer.failure) refuse(*answer.failure, "commit");
        check_committed(link_.warned(), answer.command);
    });
}

void Session::check_committed(bool warned, std::string_view command) {
    if (warned) {
        throw OutcomeUnknown(fmt::format(
            "{} committed, but its standby has not confirmed it; send the same again", name_));
    }
    if (command != "COMMIT") {
        throw Error(
            fmt::format("{} rolled the transaction back, because a statement in it had "
                        "failed; run the whole transaction again",
                        name_));
    }
}

void Session::rollback() noexcept {
    if (!usable_) return;
    try {
        script("rollback");
    } catch (const std::exception&) {
        usable_ = false;  // the server rolls back when the connection ends
    }
}

void Session::refuse(const Failure& failure, std::string_view sql) {
    if (failure.stale_plan) prepared_.clear();
    throw refusal(name_, failure, sql);
}

}  // namespace recount::postgres
