#include <recount/eventstore/sql.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <exception>

#include "databases.hpp"
#include "postgres_session.hpp"

namespace recount::postgres {

namespace {

constexpr std::size_t rows_at_once = 10000;

/// What all rows of one write have in common: the statement.
std::string insert_statement(const RowsWrite& write) {
    std::string columns;
    std::string arrays;
    std::string updates;
    for (std::size_t i = 0; i < write.columns.size(); ++i) {
        const std::string column = identifier(write.columns[i]);
        const char* comma = i == 0 ? "" : ", ";
        columns += comma + column;
        arrays += fmt::format("{}${}::{}[]", comma, i + 1, write.types[i]);
        const bool is_key =
            std::find(write.key.begin(), write.key.end(), write.columns[i]) != write.key.end();
        if (!is_key) {
            updates +=
                fmt::format("{}{} = excluded.{}", updates.empty() ? "" : ", ", column, column);
        }
    }
    std::string sql = fmt::format("insert into {} ({}) select * from unnest({})",
                                  identifier(write.table), columns, arrays);
    if (write.key.empty()) return sql;
    std::string keys;
    for (const std::string& column : write.key) {
        keys += (keys.empty() ? "" : ", ") + identifier(column);
    }
    return sql + fmt::format(" on conflict ({}) do {}", keys,
                             updates.empty() ? "nothing" : "update set " + updates);
}

std::vector<Parameter> columns_of(const RowsWrite& write, std::size_t from, std::size_t to) {
    std::vector<Parameter> parameters;
    for (std::size_t column = 0; column < write.columns.size(); ++column) {
        Array array{type_named(write.types[column])};
        for (std::size_t row = from; row < to; ++row) array.add(write.rows[row].at(column));
        parameters.push_back(std::move(array).finish());
    }
    return parameters;
}

Parameter texts(std::span<const std::string> values) {
    Array array{Type::text};
    for (const std::string& value : values) array.add(std::string_view{value});
    return std::move(array).finish();
}

/// An open transaction of a session; `open` is true as long as it lives.
class Transaction final : public SqlTransaction {
public:
    Transaction(Session& session, bool& open, SqlMode mode)
        : session_(session), open_(open), mode_(mode) {
        open_ = true;
    }
    ~Transaction() override {
        if (!ended_) session_.rollback();
        open_ = false;
    }

    SqlResult run(std::string_view sql, std::span<const SqlValue> arguments) override;
    void script(std::string_view sql) override { session_.script(sql); }
    void write(const RowsWrite& write) override;
    SqlResult read(std::string_view table, std::span<const std::string> columns,
                   std::string_view key, std::span<const std::string> keys) override;
    void remove(std::string_view table, std::string_view key,
                std::span<const std::string> keys) override;
    [[nodiscard]] SqlDialect dialect() const override { return SqlDialect::postgresql; }

    void commit() override {
        ended_ = true;  // whatever comes of it, there is nothing left to roll back
        session_.commit();
    }

private:
    Session& session_;
    bool& open_;
    SqlMode mode_;
    bool ended_ = false;
};

SqlResult Transaction::run(std::string_view sql, std::span<const SqlValue> arguments) {
    std::vector<Parameter> parameters;
    parameters.reserve(arguments.size());
    for (const SqlValue& argument : arguments) parameters.push_back(parameter(argument));
    try {
        return session_.run(sql, parameters).copy();
    } catch (const ServerError& error) {
        // In one that writes it is the server that takes no writes, and another server may.
        if (mode_ != SqlMode::snapshot || error.state() != "25006") throw;
        throw InvalidArgument(fmt::format(
            "\"{}\" writes, in a transaction that only reads; it needs SqlMode::write", sql));
    }
}

void Transaction::write(const RowsWrite& write) {
    if (write.columns.size() != write.types.size()) {
        throw InvalidArgument(fmt::format("a write to table '{}' names {} columns but {} types",
                                          write.table, write.columns.size(), write.types.size()));
    }
    if (write.rows.empty()) return;
    const std::string sql = insert_statement(write);
    for (std::size_t from = 0; from < write.rows.size(); from += rows_at_once) {
        const std::size_t to = std::min(write.rows.size(), from + rows_at_once);
        session_.run(sql, columns_of(write, from, to));
    }
}

SqlResult Transaction::read(std::string_view table, std::span<const std::string> columns,
                            std::string_view key, std::span<const std::string> keys) {
    std::string list;
    for (const std::string& column : columns)
        list += (list.empty() ? "" : ", ") + identifier(column);
    const Parameter wanted = texts(keys);
    return session_
        .run(fmt::format("select {} from {} where {} = any($1::text[])", list, identifier(table),
                         identifier(key)),
             {&wanted, 1})
        .copy();
}

void Transaction::remove(std::string_view table, std::string_view key,
                         std::span<const std::string> keys) {
    if (keys.empty()) return;
    const Parameter wanted = texts(keys);
    session_.run(fmt::format("delete from {} where {} = any($1::text[])", identifier(table),
                             identifier(key)),
                 {&wanted, 1});
}

class PostgresDatabase final : public Database {
public:
    PostgresDatabase(const std::string& url, const DatabaseOptions& options)
        : address_(parse_address(url)),
          options_{.create_schema = options.create && !options.read_only,
                   .read_only = options.read_only,
                   .durable = options.durable,
                   .timeout = options.timeout,
                   .idle = options.idle,
                   .application = "recount"},
          session_(std::make_unique<Session>(address_, options_)),
          name_(session_->name()) {}

    std::unique_ptr<SqlTransaction> begin(SqlMode mode) override {
        if (open_) {
            throw Error(fmt::format(
                "{} has an open transaction already; end it, or open a second Database", name_));
        }
        // One that has been idle may have been lost without our having noticed.
        for (bool fresh = false;; fresh = true) {
            if (!session_ || !session_->usable()) {
                session_.reset();
                session_ = std::make_unique<Session>(address_, options_);
                fresh = true;
            }
            try {
                session_->script(mode == SqlMode::snapshot
                                     ? "begin isolation level repeatable read, read only"
                                     : "begin isolation level read committed");
                return std::make_unique<Transaction>(*session_, open_, mode);
            } catch (const Unavailable&) {
                if (fresh) throw;
            }
        }
    }

    [[nodiscard]] SqlDialect dialect() const override { return SqlDialect::postgresql; }
    [[nodiscard]] const std::string& name() const override { return name_; }

private:
    Address address_;
    SessionOptions options_;
    std::unique_ptr<Session> session_;
    std::string name_;
    bool open_ = false;
};

}  // namespace
}  // namespace recount::postgres

namespace recount {

std::unique_ptr<Database> open_postgres_database(const std::string& url,
                                                 const DatabaseOptions& options) {
    return std::make_unique<postgres::PostgresDatabase>(url, options);
}

}  // namespace recount
