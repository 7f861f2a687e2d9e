#include "bench/bare_import.hpp"

#include <libpq-fe.h>
#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace recount::bench {
namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using File = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

void run(PGconn* connection, const std::string& sql, ExecStatusType wanted) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result{PQexec(connection, sql.c_str()),
                                                               &PQclear};
    if (PQresultStatus(result.get()) == wanted) return;
    throw std::runtime_error(PQerrorMessage(connection));
}

Connection connect(const std::string& url, const std::string& schema) {
    Connection connection{PQconnectdb(url.c_str()), &PQfinish};
    run(connection.get(), "set search_path = " + schema, PGRES_COMMAND_OK);
    return connection;
}

/// Until nothing more comes; the last result says how it went.
void finish(PGconn* connection) {
    bool fine = true;
    while (PGresult* result = PQgetResult(connection)) {
        fine = fine && PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    if (!fine) throw std::runtime_error(PQerrorMessage(connection));
}

std::string table_out(PGconn* connection, const std::string& table) {
    run(connection, "copy " + table + " to stdout (format binary)", PGRES_COPY_OUT);
    std::string rows;
    char* row = nullptr;
    for (int size; (size = PQgetCopyData(connection, &row, 0)) > 0; PQfreemem(row)) {
        rows.append(row, static_cast<std::size_t>(size));
    }
    finish(connection);
    return rows;
}

void table_in(PGconn* connection, const std::string& table, const std::string& rows) {
    constexpr std::size_t at_once = std::size_t{1} << 16;
    run(connection, "copy " + table + " from stdin (format binary)", PGRES_COPY_IN);
    for (std::size_t at = 0; at < rows.size(); at += at_once) {
        const int size = static_cast<int>(std::min(at_once, rows.size() - at));
        if (PQputCopyData(connection, rows.data() + at, size) != 1) break;
    }
    PQputCopyEnd(connection, nullptr);
    finish(connection);
}

void require(sqlite3* file, int code) {
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
    throw std::runtime_error(sqlite3_errmsg(file));
}

File open(const std::string& path) {
    sqlite3* file = nullptr;
    require(file, sqlite3_open(path.c_str(), &file));
    return {file, &sqlite3_close};
}

Statement prepare(sqlite3* file, const char* sql) {
    sqlite3_stmt* statement = nullptr;
    require(file, sqlite3_prepare_v2(file, sql, -1, &statement, nullptr));
    return {statement, &sqlite3_finalize};
}

std::string bytes(sqlite3_stmt* statement, int column) {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

void exec(sqlite3* file, const char* sql) {
    require(file, sqlite3_exec(file, sql, nullptr, nullptr, nullptr));
}

void step(sqlite3* file, sqlite3_stmt* statement) {
    require(file, sqlite3_step(statement));
    sqlite3_reset(statement);
}

void bind(sqlite3_stmt* statement, const SqliteEvent& row) {
    int at = 0;
    for (const std::int64_t value :
         {row.partition, row.position, row.stream, row.version, row.schema}) {
        sqlite3_bind_int64(statement, ++at, value);
    }
    for (const std::string* value : {&row.envelope, &row.hash, &row.salt, &row.payload}) {
        sqlite3_bind_blob(statement, ++at, value->data(), static_cast<int>(value->size()), nullptr);
    }
}

}  // namespace

PostgresRows copy_out(const std::string& url, const std::string& schema) {
    const Connection connection = connect(url, schema);
    return {table_out(connection.get(), "stream"), table_out(connection.get(), "event")};
}

void copy_in(const std::string& url, const std::string& schema, const PostgresRows& rows) {
    const Connection connection = connect(url, schema);
    run(connection.get(), "begin", PGRES_COMMAND_OK);
    table_in(connection.get(), "stream", rows.streams);
    table_in(connection.get(), "event", rows.events);
    run(connection.get(), "commit", PGRES_COMMAND_OK);
}

std::vector<SqliteEvent> read_events(const std::string& path) {
    const File file = open(path);
    const Statement select = prepare(
        file.get(),
        "select partition, position, stream, version, event.schema, envelope, hash, salt, payload, "
        "name from event join stream on stream.id = event.stream order by event.id");
    std::vector<SqliteEvent> rows;
    while (sqlite3_step(select.get()) == SQLITE_ROW) {
        const auto number = [&](int column) { return sqlite3_column_int64(select.get(), column); };
        rows.push_back({number(0), number(1), number(2), number(3), number(4),
                        bytes(select.get(), 5), bytes(select.get(), 6), bytes(select.get(), 7),
                        bytes(select.get(), 8), number(3) == 1 ? bytes(select.get(), 9) : ""});
    }
    return rows;
}

void insert_events(const std::string& path, const std::vector<SqliteEvent>& rows,
                   std::size_t a_commit) {
    const File file = open(path);
    exec(file.get(), "pragma synchronous = full");
    const Statement event = prepare(
        file.get(),
        "insert into event (partition, position, stream, version, schema, envelope, hash, salt, "
        "payload) values (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    const Statement stream = prepare(file.get(), "insert into stream (id, name) values (?, ?)");
    for (std::size_t at = 0; at < rows.size(); at += a_commit) {
        exec(file.get(), "begin immediate");
        for (std::size_t i = at; i < std::min(at + a_commit, rows.size()); ++i) {
            const SqliteEvent& row = rows[i];
            if (!row.name.empty()) {
                sqlite3_bind_int64(stream.get(), 1, row.stream);
                sqlite3_bind_text(stream.get(), 2, row.name.data(),
                                  static_cast<int>(row.name.size()), nullptr);
                step(file.get(), stream.get());
            }
            bind(event.get(), row);
            step(file.get(), event.get());
        }
        exec(file.get(), "commit");
    }
}

}  // namespace recount::bench
