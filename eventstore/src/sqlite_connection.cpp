#include "sqlite_connection.hpp"

#include <recount/core/error.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace recount::sqlite {
namespace {

[[noreturn]] void fail(int code, const std::string& path, const std::string& message) {
    const std::string text = "sqlite:" + path + ": " + message + " (" + sqlite3_errstr(code) +
                             ", code " + std::to_string(code) + ")";
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            throw Unavailable(text + "; another connection holds the lock: try again, or end it");
        case SQLITE_FULL:
            throw Unavailable(text + "; nothing was written: make room on the disk and try again");
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_NOMEM:
        case SQLITE_PROTOCOL:
            throw Unavailable(text + "; look at the file, its folder's permissions and the disk");
        case SQLITE_NOTADB:
            throw Mismatch(text + "; the file is no SQLite database: give another path");
        case SQLITE_CORRUPT:
            throw Divergence(text + "; the file is damaged: keep it, and restore a backup");
        default:
            throw Error(text);
    }
}

[[noreturn]] void fail(sqlite3* connection, const std::string& doing) {
    const char* path = sqlite3_db_filename(connection, "main");
    fail(sqlite3_extended_errcode(connection), path == nullptr || *path == 0 ? ":memory:" : path,
         doing + ": " + sqlite3_errmsg(connection));
}

// SQLite takes a null pointer as NULL, not as an empty value.
const char* data_of(std::string_view value) { return value.data() == nullptr ? "" : value.data(); }

}  // namespace

int library_version() { return sqlite3_libversion_number(); }

void check_path(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const fs::path folder = fs::path{path}.parent_path();
    if (!folder.empty() && !fs::is_directory(folder, ignored)) {
        throw InvalidArgument("sqlite:" + path + ": there is no folder " + folder.string() +
                              "; create it, or give another path");
    }
    if (fs::is_directory(path, ignored)) {
        throw InvalidArgument("sqlite:" + path + " is a folder; give the path of a file in it");
    }
}

Statement::Statement(sqlite3* connection, std::string_view sql) {
    const char* rest = nullptr;
    if (sqlite3_prepare_v3(connection, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement_, &rest) != SQLITE_OK) {
        fail(connection, "cannot prepare \"" + std::string{sql} + "\"");
    }
    const auto tail = sql.substr(static_cast<std::size_t>(rest - sql.data()));
    if (statement_ != nullptr && tail.find_first_not_of(" \t\r\n;") == sql.npos) return;
    sqlite3_finalize(statement_);
    throw Error("\"" + std::string{sql} + "\" is not one SQL statement; run them one by one");
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::bind(int parameter, std::int64_t value) {
    sqlite3_bind_int64(statement_, parameter, value);
}

void Statement::bind(int parameter, double value) {
    sqlite3_bind_double(statement_, parameter, value);
}

void Statement::bind_text(int parameter, std::string_view value) {
    if (sqlite3_bind_text64(statement_, parameter, data_of(value), value.size(), SQLITE_STATIC,
                            SQLITE_UTF8) != SQLITE_OK) {
        fail(sqlite3_db_handle(statement_), "cannot bind a text");
    }
}

void Statement::bind_bytes(int parameter, std::string_view value) {
    if (sqlite3_bind_blob64(statement_, parameter, data_of(value), value.size(), SQLITE_STATIC) !=
        SQLITE_OK) {
        fail(sqlite3_db_handle(statement_), "cannot bind bytes");
    }
}

void Statement::bind_null(int parameter) { sqlite3_bind_null(statement_, parameter); }
int Statement::parameters() const { return sqlite3_bind_parameter_count(statement_); }

std::string Statement::parameter_name(int parameter) const {
    const char* name = sqlite3_bind_parameter_name(statement_, parameter);
    return name == nullptr ? "" : name;
}

bool Statement::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    sqlite3* connection = sqlite3_db_handle(statement_);
    const std::string sql = sqlite3_sql(statement_);
    try {
        fail(connection, "cannot run \"" + sql + "\"");
    } catch (...) {
        sqlite3_reset(statement_);
        throw;
    }
}

void Statement::reset() { sqlite3_reset(statement_); }
bool Statement::reads_only() const { return sqlite3_stmt_readonly(statement_) != 0; }

void Statement::run() {
    const Running running{*this};
    while (step()) {
    }
}

int Statement::columns() const { return sqlite3_column_count(statement_); }

std::string Statement::column_name(int column) const {
    return sqlite3_column_name(statement_, column);
}

Type Statement::type(int column) const {
    switch (sqlite3_column_type(statement_, column)) {
        case SQLITE_INTEGER:
            return Type::integer;
        case SQLITE_FLOAT:
            return Type::real;
        case SQLITE_TEXT:
            return Type::text;
        case SQLITE_BLOB:
            return Type::bytes;
        default:
            return Type::null;
    }
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {data == nullptr ? "" : data,
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {data == nullptr ? "" : data,
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Connection::Connection(const std::string& path, const ConnectionOptions& options) : path_(path) {
    if (path != ":memory:") check_path(path);
    const bool create = options.create && !options.read_only;
    const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                      (create ? SQLITE_OPEN_CREATE : 0);
    std::error_code ignored;
    if (!create && path != ":memory:" && !std::filesystem::exists(path, ignored)) {
        throw Missing("sqlite:" + path + ": there is no such file; create it first, or give " +
                      "another path");
    }
    const int code = sqlite3_open_v2(path.c_str(), &connection_, flags, nullptr);
    try {
        if (code != SQLITE_OK) fail(code, path_, "cannot be opened");
        set_up(options);
    } catch (...) {
        sqlite3_close_v2(connection_);
        throw;
    }
}

Connection::~Connection() {
    rollback();
    begin_read_.reset();
    begin_write_.reset();
    sqlite3_close_v2(connection_);
}

void Connection::set_up(const ConnectionOptions& options) {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    sqlite3_busy_timeout(connection_,
                         static_cast<int>(std::clamp<std::int64_t>(
                             duration_cast<milliseconds>(options.timeout).count(), 0, INT32_MAX)));
    const bool checkpoints = options.checkpoints && !options.read_only;
    // Two connections that write or checkpoint at one instant can corrupt a file (SQLite 3.7.0 to
    // 3.51.2), so only the one that writes does; and not in steps so small that they cost much.
    sqlite3_wal_autocheckpoint(connection_, checkpoints ? 4000 : 0);
    sqlite3_db_config(connection_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, checkpoints ? 0 : 1, nullptr);
    sqlite3_db_config(connection_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(connection_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);

    exec("pragma foreign_keys = on");
    require("foreign_keys", 1);
    if (!options.read_only && options.wal && path_ != ":memory:") use_wal();
    exec(options.durable ? "pragma synchronous = full" : "pragma synchronous = normal");
    require("synchronous", options.durable ? 2 : 1);
    exec("pragma cache_size = -16384");

    begin_read_ = prepare("begin");
    begin_write_ = prepare("begin immediate");
}

void Connection::use_wal() {
    const auto statement = prepare("pragma journal_mode = wal");
    const Running running{*statement};
    if (!statement->step() || statement->text(0) != "wal") {
        throw Unavailable("sqlite:" + path_ + ": write-ahead logging cannot be turned on, the " +
                          "journal mode stays " + std::string{statement->text(0)} +
                          "; use a local disk");
    }
}

void Connection::require(std::string_view pragma, std::int64_t wanted) {
    const std::int64_t actual = number("pragma " + std::string{pragma});
    if (actual == wanted) return;
    throw Unavailable("sqlite:" + path_ + ": pragma " + std::string{pragma} + " is " +
                      std::to_string(actual) + " instead of " + std::to_string(wanted) +
                      "; use an SQLite that was built with it");
}

void Connection::exec(const char* sql) {
    char* message = nullptr;
    if (sqlite3_exec(connection_, sql, nullptr, nullptr, &message) == SQLITE_OK) return;
    const std::string text = message == nullptr ? "failed" : message;
    sqlite3_free(message);
    fail(sqlite3_extended_errcode(connection_), path_, text);
}

std::unique_ptr<Statement> Connection::prepare(std::string_view sql) {
    return std::make_unique<Statement>(connection_, sql);
}

std::int64_t Connection::number(std::string_view sql) {
    const auto statement = prepare(sql);
    const Running running{*statement};
    if (!statement->step()) {
        throw Error("sqlite:" + path_ + ": no row from \"" + std::string{sql} + "\"");
    }
    return statement->integer(0);
}

void Connection::begin_read() { begin_read_->run(); }

void Connection::begin_write() { begin_write_->run(); }

void Connection::commit() {
    const int code = sqlite3_exec(connection_, "commit", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return;
    const std::string message = std::string{"cannot commit: "} + sqlite3_errmsg(connection_);
    rollback();
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_FULL:
        case SQLITE_CONSTRAINT:
            fail(code, path_, message);  // before the commit record was complete
        default:
            break;
    }
    // The commit record may have reached the disk although its sync, or what follows it, failed.
    throw OutcomeUnknown("sqlite:" + path_ + ": " + message +
                         "; the disk failed meanwhile: send the same append again, or void its " +
                         "command id");
}

void Connection::rollback() noexcept {
    if (in_transaction()) sqlite3_exec(connection_, "rollback", nullptr, nullptr, nullptr);
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }

std::int64_t Connection::total_changes() const { return sqlite3_total_changes64(connection_); }

std::int64_t Connection::last_inserted() const { return sqlite3_last_insert_rowid(connection_); }

std::int64_t Connection::last_changes() const { return sqlite3_changes64(connection_); }

}  // namespace recount::sqlite
