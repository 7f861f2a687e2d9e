#include "databases.hpp"

#include <recount/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <memory>
#include <unordered_map>
#include <utility>

#include "sqlite_connection.hpp"

namespace recount {
namespace {

constexpr std::size_t cached_statements = 200;

/// Names of tables and columns come from code, never from data; quoted all the same.
std::string quoted(std::string_view name) {
    std::string text = "\"";
    for (const char c : name) text.append(c == '"' ? 2 : 1, c);
    return text += '"';
}

template <class Names>
std::string listed(const Names& names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + quoted(name);
    return text;
}

std::string insert_of(const RowsWrite& write) {
    std::string sql =
        "insert into " + quoted(write.table) + " (" + listed(write.columns) + ") values (";
    for (std::size_t i = 1; i <= write.columns.size(); ++i) {
        sql += (i == 1 ? "$" : ", $") + std::to_string(i);
    }
    sql += ")";
    if (write.key.empty()) return sql;
    std::string updates;
    for (const std::string& column : write.columns) {
        if (std::find(write.key.begin(), write.key.end(), column) != write.key.end()) continue;
        updates += (updates.empty() ? "" : ", ") + quoted(column) + " = excluded." + quoted(column);
    }
    sql += " on conflict (" + listed(write.key) + ") do ";
    return sql += updates.empty() ? "nothing" : "update set " + updates;
}

/// A statement whose `$3` gets the third argument, wherever in the text it stands: SQLite numbers
/// parameters by first appearance.
struct CachedStatement {
    std::unique_ptr<sqlite::Statement> statement;
    std::vector<std::size_t> arguments;  // which argument each parameter takes, from 0
    std::size_t needed = 0;
};

CachedStatement prepare(sqlite::Connection& connection, std::string_view sql) {
    CachedStatement cached{connection.prepare(sql), {}, 0};
    for (int i = 1; i <= cached.statement->parameters(); ++i) {
        const std::string name = cached.statement->parameter_name(i);
        std::size_t number = 0;
        const char* const end = name.data() + name.size();
        const bool numbered = name.size() > 1 && name.front() == '$' &&
                              std::from_chars(name.data() + 1, end, number).ptr == end &&
                              number > 0;
        if (!numbered) {
            throw Error("parameter " + std::to_string(i) + " of \"" + std::string{sql} +
                        "\" is not written as $1, $2 …; no other form works on every database");
        }
        cached.arguments.push_back(number - 1);
        cached.needed = std::max(cached.needed, number);
    }
    return cached;
}

void bind(sqlite::Statement& statement, int parameter, const SqlValue& value) {
    switch (value.index()) {
        case 1:
            return statement.bind(parameter, std::get<1>(value));
        case 2:
            return statement.bind(parameter, std::get<2>(value));
        case 3:
            return statement.bind_text(parameter, std::get<3>(value));
        case 4:
            return statement.bind_bytes(parameter, std::get<4>(value).data);
        default:
            return statement.bind_null(parameter);
    }
}

SqlValue value_in(const sqlite::Statement& statement, int column) {
    switch (statement.type(column)) {
        case sqlite::Type::integer:
            return statement.integer(column);
        case sqlite::Type::real:
            return statement.real(column);
        case sqlite::Type::text:
            return std::string{statement.text(column)};
        case sqlite::Type::bytes:
            return Bytes{std::string{statement.bytes(column)}};
        default:
            return std::monostate{};
    }
}

class SqliteDatabase final : public Database {
public:
    SqliteDatabase(const std::string& path, const DatabaseOptions& options)
        : name_("sqlite:" + path), connection_(path, connection_options(options)) {}

    std::unique_ptr<SqlTransaction> begin(SqlMode mode) override;
    [[nodiscard]] SqlDialect dialect() const override { return SqlDialect::sqlite; }
    [[nodiscard]] const std::string& name() const override { return name_; }

    [[nodiscard]] sqlite::Connection& connection() { return connection_; }

    CachedStatement& cached(std::string_view sql) {
        const auto found = statements_.find(std::string{sql});
        if (found != statements_.end()) return found->second;
        // Programs have few statements; whoever makes them up anew each time pays for it.
        if (statements_.size() >= cached_statements) statements_.clear();
        return statements_.emplace(sql, prepare(connection_, sql)).first->second;
    }

private:
    static sqlite::ConnectionOptions connection_options(const DatabaseOptions& options) {
        return {.create = options.create,
                .read_only = options.read_only,
                .durable = options.durable,
                .timeout = options.timeout};
    }

    std::string name_;
    sqlite::Connection connection_;
    std::unordered_map<std::string, CachedStatement> statements_;
};

/// SQLite takes every pragma for one that writes; those that set something have a value.
bool asks_for_setting(std::string_view sql) {
    return sql.starts_with("pragma ") && sql.find_first_of("=(;") == std::string_view::npos;
}

class SqliteTransaction final : public SqlTransaction {
public:
    SqliteTransaction(SqliteDatabase& database, SqlMode mode)
        : database_(database), writes_(mode == SqlMode::write) {
        if (writes_) {
            connection().begin_write();
        } else {
            connection().begin_read();
        }
        open_ = true;
    }
    ~SqliteTransaction() override {
        if (open_) connection().rollback();
    }
    SqliteTransaction(const SqliteTransaction&) = delete;
    SqliteTransaction& operator=(const SqliteTransaction&) = delete;

    void commit() override {
        check_open();
        open_ = false;  // after a failure there is nothing left to roll back
        connection().commit();
    }

    SqlResult run(std::string_view sql, std::span<const SqlValue> arguments) override {
        CachedStatement& cached = statement(sql);
        if (cached.needed > arguments.size()) {
            throw Error("\"" + std::string{sql} + "\" needs " + std::to_string(cached.needed) +
                        " arguments and was given " + std::to_string(arguments.size()) +
                        "; pass one for each of $1, $2 …");
        }
        SqlResult result;
        const std::int64_t before = connection().total_changes();
        step_all(cached, arguments, &result);
        // The connection's count is that of the last statement that changed something.
        if (connection().total_changes() != before) result.affected = connection().last_changes();
        return result;
    }

    void script(std::string_view sql) override {
        check_open();
        connection().exec(std::string{sql}.c_str());
    }

    void write(const RowsWrite& write) override {
        CachedStatement& cached = statement(insert_of(write));
        for (const auto& row : write.rows) {
            if (row.size() != write.columns.size()) {
                throw Error("a row for table " + std::string{write.table} + " has " +
                            std::to_string(row.size()) + " values for " +
                            std::to_string(write.columns.size()) +
                            " columns; give one a column, null where there is none");
            }
            step_all(cached, row, nullptr);
        }
    }

    SqlResult read(std::string_view table, std::span<const std::string> columns,
                   std::string_view key, std::span<const std::string> keys) override {
        CachedStatement& cached = statement("select " + listed(columns) + " from " + quoted(table) +
                                            " where " + quoted(key) + " = $1");
        SqlResult result;
        for (const std::string& wanted : keys) {
            const SqlValue value = wanted;
            step_all(cached, {&value, 1}, &result);
        }
        if (result.columns.empty()) result.columns.assign(columns.begin(), columns.end());
        return result;
    }

    void remove(std::string_view table, std::string_view key,
                std::span<const std::string> keys) override {
        CachedStatement& cached =
            statement("delete from " + quoted(table) + " where " + quoted(key) + " = $1");
        for (const std::string& wanted : keys) {
            const SqlValue value = wanted;
            step_all(cached, {&value, 1}, nullptr);
        }
    }

    [[nodiscard]] SqlDialect dialect() const override { return SqlDialect::sqlite; }

private:
    sqlite::Connection& connection() { return database_.connection(); }

    void check_open() {
        if (!open_) {
            throw Error("this transaction on " + database_.name() +
                        " has been committed; begin another");
        }
        // After an error of the disk, or for want of memory, nothing holds what follows together.
        if (connection().in_transaction()) return;
        throw Unavailable("SQLite has undone this transaction on " + database_.name() +
                          " after an error; nothing of it was written: begin again");
    }

    CachedStatement& statement(std::string_view sql) {
        check_open();
        CachedStatement& cached = database_.cached(sql);
        if (writes_ || cached.statement->reads_only() || asks_for_setting(sql)) return cached;
        throw InvalidArgument(
            "\"" + std::string{sql} +
            "\" writes, in a transaction that only reads; it needs SqlMode::write");
    }

    static void step_all(CachedStatement& cached, std::span<const SqlValue> arguments,
                         SqlResult* result) {
        sqlite::Statement& statement = *cached.statement;
        const sqlite::Running running{statement};
        for (std::size_t i = 0; i < cached.arguments.size(); ++i) {
            bind(statement, static_cast<int>(i) + 1, arguments[cached.arguments[i]]);
        }
        bool more = statement.step();
        const int columns = statement.columns();  // known only now, if the schema changed
        if (result != nullptr && result->columns.empty()) {
            for (int i = 0; i < columns; ++i) result->columns.push_back(statement.column_name(i));
        }
        for (; more; more = statement.step()) {
            if (result == nullptr) continue;
            auto& row = result->rows.emplace_back();
            row.reserve(static_cast<std::size_t>(columns));
            for (int i = 0; i < columns; ++i) row.push_back(value_in(statement, i));
        }
    }

    SqliteDatabase& database_;
    bool writes_;
    bool open_ = false;
};

std::unique_ptr<SqlTransaction> SqliteDatabase::begin(SqlMode mode) {
    if (connection_.in_transaction()) {
        throw Error(name_ + " has an open transaction; end it before another is begun");
    }
    return std::make_unique<SqliteTransaction>(*this, mode);
}

}  // namespace

std::unique_ptr<Database> open_sqlite_database(const std::string& path,
                                               const DatabaseOptions& options) {
    return std::make_unique<SqliteDatabase>(path, options);
}

}  // namespace recount
