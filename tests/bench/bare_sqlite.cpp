#include "bench/bare_sqlite.hpp"

#include <recount/core/envelope.hpp>
#include <recount/core/ids.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <stdexcept>

namespace recount::bench {
namespace {

void require(sqlite3* connection, int code) {
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) {
        throw std::runtime_error(sqlite3_errmsg(connection));
    }
}

sqlite3* open(const std::string& path) {
    sqlite3* connection = nullptr;
    require(connection, sqlite3_open_v2(path.c_str(), &connection,
                                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr));
    return connection;
}

sqlite3_stmt* prepare(sqlite3* connection, const char* sql) {
    sqlite3_stmt* statement = nullptr;
    require(connection, sqlite3_prepare_v3(connection, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                           &statement, nullptr));
    return statement;
}

void exec(sqlite3* connection, const char* sql) {
    require(connection, sqlite3_exec(connection, sql, nullptr, nullptr, nullptr));
}

std::string bytes(sqlite3_stmt* statement, int column) {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

void bind_text(sqlite3_stmt* statement, int at, const std::string& value) {
    sqlite3_bind_text(statement, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
}

void bind_blob(sqlite3_stmt* statement, int at, const std::string& value) {
    sqlite3_bind_blob(statement, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
}

void run(sqlite3_stmt* statement) {
    require(sqlite3_db_handle(statement), sqlite3_step(statement));
    sqlite3_reset(statement);
}

}  // namespace

std::vector<Rows> read_rows(const std::string& path) {
    sqlite3* connection = open(path);
    // The benchmark's appends have ids that sort as they were sent.
    sqlite3_stmt* statement =
        prepare(connection,
                "select e.partition, e.position, e.stream, e.version, e.schema, e.envelope, "
                "e.hash, e.salt, "
                "e.payload, s.name, o.command_id, o.kind, o.recorded_at, o.bytes from "
                "(select *, row_number() over (order by id) as number from event) e "
                "join stream s on s.id = e.stream join "
                "(select *, row_number() over (order by command_id) as number from outcome) o "
                "on o.number = e.number order by e.number");
    std::vector<Rows> rows;
    const auto integer = [&](int column) { return sqlite3_column_int64(statement, column); };
    while (sqlite3_step(statement) == SQLITE_ROW) {
        Rows& row = rows.emplace_back();
        row.partition = integer(0);
        row.position = integer(1);
        row.stream = integer(2);
        row.version = integer(3);
        row.schema = integer(4);
        row.envelope = bytes(statement, 5);
        row.hash = bytes(statement, 6);
        row.salt = bytes(statement, 7);
        row.payload = bytes(statement, 8);
        row.name = bytes(statement, 9);
        row.command_id = bytes(statement, 10);
        row.kind = integer(11);
        row.recorded_at = integer(12);
        row.outcome = bytes(statement, 13);
        row.parsed_envelope = decode_envelope(row.envelope);
        row.parsed_outcome = decode_outcome(row.command_id, row.outcome);
    }
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return rows;
}

struct BareWriter::Handles {
    sqlite3* connection;
    sqlite3_stmt *begin, *commit, *event, *stream, *outcome, *head;
    sqlite3_stmt* find_outcome;
};

BareWriter::BareWriter(const std::string& made, Care care, bool durable)
    : handles_(new Handles{}), care_(care) {
    sqlite3* connection = handles_->connection = open(made);
    exec(connection, "pragma journal_mode = wal");
    exec(connection, durable ? "pragma synchronous = full" : "pragma synchronous = normal");
    exec(connection, "pragma wal_autocheckpoint = 4000");
    exec(connection, "pragma cache_size = -16384");
    const auto make = [connection](const char* sql) { return prepare(connection, sql); };
    handles_->begin = make("begin immediate");
    handles_->commit = make("commit");
    handles_->event = make(
        "insert into event (partition, position, stream, version, schema, envelope, hash, salt, "
        "payload) values (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    handles_->stream = make("insert into stream (id, name) values (?, ?)");
    handles_->outcome = make("insert into outcome values (?, ?, ?, ?)");
    handles_->head = make(
        "update partition set position = ?, hash = ?, recorded_at = ? "
        "where partition = ?");
    handles_->find_outcome = make("select bytes from outcome where command_id = ?");
}

BareWriter::~BareWriter() {
    for (sqlite3_stmt* statement :
         {handles_->begin, handles_->commit, handles_->event, handles_->stream, handles_->outcome,
          handles_->head, handles_->find_outcome}) {
        sqlite3_finalize(statement);
    }
    sqlite3_close(handles_->connection);
    delete handles_;
}

void BareWriter::write(const std::vector<Rows>& rows, std::size_t per_commit) {
    for (std::size_t next = 0; next < rows.size();) {
        run(handles_->begin);
        const std::size_t end = std::min(rows.size(), next + per_commit);
        std::vector<const Rows*> heads(16, nullptr);
        for (; next < end; ++next) {
            if (care_ == Care::same) check(rows[next]);
            add(rows[next]);
            heads.at(static_cast<std::size_t>(rows[next].partition)) = &rows[next];
        }
        for (const Rows* head : heads) {
            if (head != nullptr) set_head(*head);
        }
        run(handles_->commit);
    }
}

void BareWriter::check(const Rows& row) {
    bind_text(handles_->find_outcome, 1, row.command_id);
    run(handles_->find_outcome);
    if (++versions_[row.name] != row.version) throw std::runtime_error("another version");
    make(row);
}

/// The bytes that add() writes, but for the hash before, which read_rows() does not know.
void BareWriter::make(const Rows& row) {
    const Position position{Partition{static_cast<std::int32_t>(row.partition)}, row.position};
    const Uuid id = event_id(row.command_id, 0);
    const Hash digest = payload_digest(row.salt, row.payload);
    const std::string envelope = encode(row.parsed_envelope);
    const Hash chained = chain_hash(position, digest, envelope);
    const bool same = id == row.parsed_envelope.event_id && envelope == row.envelope &&
                      digest == row.parsed_envelope.payload_digest &&
                      encode(row.parsed_outcome) == row.outcome;
    if (!same || chained == Hash{}) throw std::runtime_error("a row would be another");
}

void BareWriter::add(const Rows& row) {
    if (row.version == 1) {
        sqlite3_bind_int64(handles_->stream, 1, row.stream);
        bind_text(handles_->stream, 2, row.name);
        run(handles_->stream);
    }
    const std::int64_t numbers[] = {row.partition, row.position, row.stream, row.version,
                                    row.schema};
    for (int i = 0; i < 5; ++i) sqlite3_bind_int64(handles_->event, i + 1, numbers[i]);
    bind_blob(handles_->event, 6, row.envelope);
    bind_blob(handles_->event, 7, row.hash);
    bind_blob(handles_->event, 8, row.salt);
    bind_blob(handles_->event, 9, row.payload);
    run(handles_->event);
    bind_text(handles_->outcome, 1, row.command_id);
    sqlite3_bind_int64(handles_->outcome, 2, row.kind);
    sqlite3_bind_int64(handles_->outcome, 3, row.recorded_at);
    bind_blob(handles_->outcome, 4, row.outcome);
    run(handles_->outcome);
}

void BareWriter::set_head(const Rows& row) {
    sqlite3_bind_int64(handles_->head, 1, row.position);
    bind_blob(handles_->head, 2, row.hash);
    sqlite3_bind_int64(handles_->head, 3, row.recorded_at);
    sqlite3_bind_int64(handles_->head, 4, row.partition);
    run(handles_->head);
}

}  // namespace recount::bench
