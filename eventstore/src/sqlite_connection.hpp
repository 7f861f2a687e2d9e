#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/environment.hpp>

struct sqlite3;
struct sqlite3_stmt;

/// SQLite's C API as far as recount needs it; the one file that knows sqlite3.h is
/// sqlite_connection.cpp. One thread at a time for a connection and all its statements.
namespace recount::sqlite {

/// Of the library at hand, as sqlite3_libversion_number(): 3051003 is 3.51.3.
int library_version();

/// The type of a column's value in the row at hand.
enum class Type : std::uint8_t { null, integer, real, text, bytes };

/// A prepared statement. Views that are bound must stay valid until reset(); views that are read
/// are valid until the next step() or reset().
class Statement {
public:
    Statement(sqlite3* connection, std::string_view sql);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    // Parameters are numbered from 1, by first appearance in the text.
    void bind(int parameter, std::int64_t value);
    void bind(int parameter, double value);
    void bind_text(int parameter, std::string_view value);
    void bind_bytes(int parameter, std::string_view value);
    void bind_null(int parameter);
    [[nodiscard]] int parameters() const;
    [[nodiscard]] std::string parameter_name(int parameter) const;  // "$2"; empty for a plain ?

    /// True: there is a row. Throws as Connection does.
    bool step();
    /// Ready to be bound and run again; the values bound stay.
    void reset();
    /// It cannot change the database.
    [[nodiscard]] bool reads_only() const;
    /// Steps to the end and resets.
    void run();

    // Columns are numbered from 0.
    [[nodiscard]] int columns() const;
    [[nodiscard]] std::string column_name(int column) const;
    [[nodiscard]] Type type(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const;
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::string_view bytes(int column) const;

private:
    sqlite3_stmt* statement_ = nullptr;
};

/// Resets a statement at the end of the scope, also when an exception leaves it.
class Running {
public:
    explicit Running(Statement& statement) : statement_(statement) {}
    ~Running() { statement_.reset(); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

private:
    Statement& statement_;
};

struct ConnectionOptions {
    bool create = true;       // the file, when it is missing or empty
    bool read_only = false;   // writes and checkpoints nothing
    bool checkpoints = true;  // moves the write-ahead log into the file now and then
    bool durable = true;      // synchronous=FULL, else NORMAL
    bool wal = true;          // turned off only while a file is looked at or created
    Duration timeout = std::chrono::seconds{10};  // for locks
};

/// Throws InvalidArgument when the file's folder is missing, or the path is a folder itself.
void check_path(const std::string& path);

/// A connection to a file, or to ":memory:". Settings are read back after they were made.
///
/// Throws InvalidArgument for a missing folder, Mismatch for a missing file that must not be
/// created and for a file that is no database, Unavailable (retryable) when a lock was not had in
/// time, the disk is full or fails, and Error for mistakes in the SQL. No message holds a bound
/// value.
class Connection {
public:
    Connection(const std::string& path, const ConnectionOptions& options);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Turns write-ahead logging on, for ever. Unavailable where that cannot be had.
    void use_wal();
    /// One or more statements without parameters or results.
    void exec(const char* sql);
    std::unique_ptr<Statement> prepare(std::string_view sql);
    /// The first column of the first row.
    std::int64_t number(std::string_view sql);

    void begin_read();
    /// Takes the write lock at once, within the time-out.
    void begin_write();
    /// Throws OutcomeUnknown when the disk failed while the commit was written: it may be there
    /// after the next start. After any failure the transaction is rolled back.
    void commit();
    /// Never throws; nothing to do when no transaction is open.
    void rollback() noexcept;
    [[nodiscard]] bool in_transaction() const;

    /// Rows changed since the connection was opened.
    [[nodiscard]] std::int64_t total_changes() const;
    [[nodiscard]] std::int64_t last_changes() const;
    [[nodiscard]] std::int64_t last_inserted() const;  // the row's integer key

private:
    void set_up(const ConnectionOptions& options);
    void require(std::string_view pragma, std::int64_t wanted);

    std::string path_;
    sqlite3* connection_ = nullptr;
    std::unique_ptr<Statement> begin_read_, begin_write_;
};

}  // namespace recount::sqlite
