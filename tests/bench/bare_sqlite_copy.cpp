#include "bench/bare_sqlite_copy.hpp"

#include <recount/core/environment.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace recount::bench {

namespace {

using Value = std::variant<std::monostate, std::int64_t, double, std::string, std::vector<char>>;
using Row = std::vector<Value>;

struct Table {
    std::string name, create;
    std::vector<Row> rows;
};

struct Database {
    std::vector<Table> tables;
    std::vector<std::string> indexes;
};

using Connection = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

void require(sqlite3* connection, int code) {
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) {
        throw std::runtime_error(sqlite3_errmsg(connection));
    }
}

Connection open(const std::filesystem::path& path) {
    sqlite3* connection = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    require(connection, sqlite3_open_v2(path.c_str(), &connection, flags, nullptr));
    return {connection, &sqlite3_close};
}

void exec(sqlite3* connection, const std::string& sql) {
    require(connection, sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr));
}

Statement prepare(sqlite3* connection, const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    require(connection, sqlite3_prepare_v2(connection, sql.c_str(), -1, &statement, nullptr));
    return {statement, &sqlite3_finalize};
}

Value value_of(sqlite3_stmt* statement, int column) {
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    switch (sqlite3_column_type(statement, column)) {
        case SQLITE_INTEGER:
            return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
        case SQLITE_FLOAT:
            return sqlite3_column_double(statement, column);
        case SQLITE_TEXT:
            return std::string{
                reinterpret_cast<const char*>(sqlite3_column_text(statement, column)), size};
        case SQLITE_BLOB: {
            const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, column));
            return std::vector<char>(data, data + size);
        }
        default:
            return std::monostate{};
    }
}

void bind(sqlite3_stmt* statement, int at, const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        sqlite3_bind_int64(statement, at, *integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
        sqlite3_bind_double(statement, at, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        sqlite3_bind_text(statement, at, text->data(), static_cast<int>(text->size()), nullptr);
    } else if (const auto* blob = std::get_if<std::vector<char>>(&value)) {
        sqlite3_bind_blob(statement, at, blob->data(), static_cast<int>(blob->size()), nullptr);
    } else {
        sqlite3_bind_null(statement, at);
    }
}

/// What was committed first comes first: a program that writes as its commands come cannot put all
/// outcomes, whose ids follow from what was commanded, into the order of the ids.
std::string in_order_of_writing(const std::string& table) {
    const std::string all = "select * from \"" + table + "\"";
    return table == "outcome" ? all + " order by recorded_at" : all;
}

Database read(const std::filesystem::path& path) {
    const Connection connection = open(path);
    Database database;
    const Statement names = prepare(connection.get(),
                                    "select name, sql from sqlite_master where type = 'table' and "
                                    "name not like 'sqlite_%'");
    while (sqlite3_step(names.get()) == SQLITE_ROW) {
        Table table;
        table.name = std::get<std::string>(value_of(names.get(), 0));
        table.create = std::get<std::string>(value_of(names.get(), 1));
        const Statement rows = prepare(connection.get(), in_order_of_writing(table.name));
        while (sqlite3_step(rows.get()) == SQLITE_ROW) {
            Row row;
            for (int i = 0; i < sqlite3_column_count(rows.get()); ++i) {
                row.push_back(value_of(rows.get(), i));
            }
            table.rows.push_back(std::move(row));
        }
        database.tables.push_back(std::move(table));
    }
    const Statement indexes = prepare(
        connection.get(), "select sql from sqlite_master where type = 'index' and sql is not null");
    while (sqlite3_step(indexes.get()) == SQLITE_ROW) {
        database.indexes.push_back(std::get<std::string>(value_of(indexes.get(), 0)));
    }
    return database;
}

Statement insert_into(sqlite3* connection, const Table& table) {
    std::string marks;
    for (std::size_t i = 0; i < table.rows.front().size(); ++i) marks += i == 0 ? "?" : ",?";
    return prepare(connection, "insert into \"" + table.name + "\" values (" + marks + ")");
}

}  // namespace

Copied copy_rows(const std::filesystem::path& from, const std::filesystem::path& to,
                 std::int64_t rows_a_commit, bool full) {
    const Database database = read(from);
    const std::vector<Table>& tables = database.tables;
    std::size_t most = 1;
    for (const Table& table : tables) most = std::max(most, table.rows.size());
    const std::size_t commits = (most - 1) / static_cast<std::size_t>(rows_a_commit) + 1;

    Environment& environment = Environment::system();
    const auto began = environment.clock.steady();
    Copied copied;
    const Connection connection = open(to);
    exec(connection.get(), "pragma journal_mode = wal");
    exec(connection.get(), full ? "pragma synchronous = full" : "pragma synchronous = normal");
    exec(connection.get(), "pragma cache_size = -16384");  // this and the next as the store's
    exec(connection.get(), "pragma wal_autocheckpoint = 4000");
    for (const Table& table : tables) exec(connection.get(), table.create);
    for (const std::string& index : database.indexes) exec(connection.get(), index);
    std::vector<Statement> inserts;
    for (const Table& table : tables) {
        inserts.push_back(table.rows.empty() ? Statement{nullptr, &sqlite3_finalize}
                                             : insert_into(connection.get(), table));
    }
    for (std::size_t commit = 0; commit < commits; ++commit) {
        exec(connection.get(), "begin immediate");
        for (std::size_t t = 0; t < tables.size(); ++t) {
            const std::vector<Row>& rows = tables[t].rows;
            const std::size_t end = rows.size() * (commit + 1) / commits;
            for (std::size_t i = rows.size() * commit / commits; i < end; ++i) {
                for (std::size_t column = 0; column < rows[i].size(); ++column) {
                    bind(inserts[t].get(), static_cast<int>(column) + 1, rows[i][column]);
                }
                require(connection.get(), sqlite3_step(inserts[t].get()));
                sqlite3_reset(inserts[t].get());
                ++copied.rows;
            }
        }
        exec(connection.get(), "commit");
    }
    inserts.clear();
    copied.seconds = std::chrono::duration<double>{environment.clock.steady() - began}.count();
    return copied;
}

}  // namespace recount::bench
