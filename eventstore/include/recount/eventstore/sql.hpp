#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <recount/core/environment.hpp>

namespace recount {

/// Bytes for a blob / bytea column; a plain std::string is text.
struct Bytes {
    std::string data;
    friend bool operator==(const Bytes&, const Bytes&) = default;
    friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

/// One value in SQL: null, integer (bigint), real (double precision), text, bytes.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string, Bytes>;

/// Rows as they came. Columns are numbered from 0. Null where `null(…)`.
class SqlResult {
public:
    std::vector<std::string> columns;
    std::vector<std::vector<SqlValue>> rows;
    std::int64_t affected = 0;

    [[nodiscard]] std::size_t size() const { return rows.size(); }
    [[nodiscard]] bool empty() const { return rows.empty(); }
    [[nodiscard]] bool null(std::size_t row, std::size_t column) const;
    /// Throw Error when the value has another type.
    [[nodiscard]] std::int64_t integer(std::size_t row, std::size_t column) const;
    [[nodiscard]] double real(std::size_t row, std::size_t column) const;
    [[nodiscard]] const std::string& text(std::size_t row, std::size_t column) const;
    [[nodiscard]] const std::string& bytes(std::size_t row, std::size_t column) const;
};

enum class SqlDialect : std::uint8_t { sqlite, postgresql };

/// Rows for one table: inserted, or put in place of those with the same key.
struct RowsWrite {
    std::string_view table;
    std::vector<std::string> columns;
    std::vector<std::string> types;  // "bigint", "double precision", "text", "bytea"
    std::vector<std::string> key;    // empty: plain insert; else on conflict (key) do update
    std::vector<std::vector<SqlValue>> rows;  // no two with the same key
};

/// SQL within one open transaction, on SQLite and PostgreSQL alike: `$1`, `$2` … are the arguments
/// in that order, whatever the order in the text; a bool goes as 0 or 1, so that a boolean column
/// of PostgreSQL's is compared with `($1 <> 0)`. Names of tables are never taken from data. One
/// thread at a time. Throws Unavailable when the database is lost, Error (retryable() tells)
/// otherwise.
class Sql {
public:
    virtual ~Sql() = default;

    /// Runs one statement; returns the number of rows it changed.
    template <class... Argument>
    std::int64_t exec(std::string_view sql, const Argument&... argument) {
        return query(sql, argument...).affected;
    }
    template <class... Argument>
    SqlResult query(std::string_view sql, const Argument&... argument) {
        const std::vector<SqlValue> values{value_of(argument)...};
        return run(sql, values);
    }

    virtual SqlResult run(std::string_view sql, std::span<const SqlValue> arguments) = 0;
    /// Several statements in one text, without arguments: the schema files.
    virtual void script(std::string_view sql) = 0;
    /// Writes many rows in as few round trips as there can be.
    virtual void write(const RowsWrite& write) = 0;
    /// Rows of a table whose single text key column is among `keys`, in any order; all named
    /// columns.
    virtual SqlResult read(std::string_view table, std::span<const std::string> columns,
                           std::string_view key, std::span<const std::string> keys) = 0;
    /// Deletes the rows whose single text key column is among `keys`.
    virtual void remove(std::string_view table, std::string_view key,
                        std::span<const std::string> keys) = 0;
    [[nodiscard]] virtual SqlDialect dialect() const = 0;

private:
    template <class T>
    static SqlValue value_of(const T& value) {
        if constexpr (std::is_same_v<T, SqlValue> || std::is_same_v<T, Bytes>) {
            return value;
        } else if constexpr (std::is_same_v<T, std::nullptr_t> ||
                             std::is_same_v<T, std::nullopt_t>) {
            return std::monostate{};
        } else if constexpr (std::is_integral_v<T>) {
            return static_cast<std::int64_t>(value);
        } else if constexpr (std::is_floating_point_v<T>) {
            return static_cast<double>(value);
        } else if constexpr (std::is_convertible_v<T, std::string_view>) {
            return std::string{std::string_view{value}};
        } else {
            return value ? value_of(*value) : SqlValue{};  // std::optional
        }
    }
};

/// An open transaction; rolled back unless committed.
class SqlTransaction : public Sql {
public:
    /// Throws OutcomeUnknown when the database was lost while it committed.
    virtual void commit() = 0;
};

/// `snapshot` reads one consistent state and writes nothing; `write` takes SQLite's write lock at
/// once.
enum class SqlMode : std::uint8_t { snapshot, write };

/// How the database of views is opened.
struct DatabaseOptions {
    bool create = true;  // SQLite: the file; PostgreSQL: the schema
    bool read_only = false;
    bool durable = true;  // SQLite: synchronous=FULL; false: NORMAL, for what can be rebuilt
    Duration timeout = std::chrono::seconds{10};  // for locks and statements; 1 ms to a day
    /// How long a transaction may do nothing before PostgreSQL ends it: a stopped owner must not
    /// hold its locks for ever.
    Duration idle = std::chrono::seconds{10};
};

/// One connection to `sqlite:PATH`, `sqlite::memory:` or `postgresql://…?schema=NAME` (the schema
/// is the search path, so tables are named without it). Not thread-safe: one thread at a time, one
/// open transaction at a time. A lost connection is made anew at the next begin(), never within
/// one.
class Database {
public:
    virtual ~Database() = default;
    static std::unique_ptr<Database> open(const std::string& url,
                                          const DatabaseOptions& options = {});

    virtual std::unique_ptr<SqlTransaction> begin(SqlMode mode) = 0;
    [[nodiscard]] virtual SqlDialect dialect() const = 0;
    [[nodiscard]] virtual const std::string& name() const = 0;  // without secrets
};

}  // namespace recount
