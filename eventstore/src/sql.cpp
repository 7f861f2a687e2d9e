#include <recount/eventstore/sql.hpp>

#include <recount/core/error.hpp>

#include <filesystem>
#include <system_error>

#include "databases.hpp"

namespace recount {
namespace {

const char* const kinds[] = {"null", "an integer", "a real number", "text", "bytes"};

template <class Value>
const Value& get(const SqlResult& result, std::size_t row, std::size_t column, const char* wanted) {
    if (row >= result.rows.size() || column >= result.rows[row].size()) {
        throw Error("row " + std::to_string(row) + ", column " + std::to_string(column) +
                    " was asked of a result with " + std::to_string(result.rows.size()) +
                    " rows and " + std::to_string(result.columns.size()) +
                    " columns; compare the call with its SQL");
    }
    const SqlValue& value = result.rows[row][column];
    if (const Value* found = std::get_if<Value>(&value)) return *found;
    const std::string name =
        column < result.columns.size() ? result.columns[column] : std::to_string(column);
    throw Error("column " + name + " holds " + kinds[value.index()] + " where " + wanted +
                " was expected; compare the call with its SQL");
}

}  // namespace

bool SqlResult::null(std::size_t row, std::size_t column) const {
    return std::holds_alternative<std::monostate>(rows.at(row).at(column));
}

std::int64_t SqlResult::integer(std::size_t row, std::size_t column) const {
    return get<std::int64_t>(*this, row, column, "an integer");
}

double SqlResult::real(std::size_t row, std::size_t column) const {
    return get<double>(*this, row, column, "a real number");
}

const std::string& SqlResult::text(std::size_t row, std::size_t column) const {
    return get<std::string>(*this, row, column, "text");
}

const std::string& SqlResult::bytes(std::size_t row, std::size_t column) const {
    return get<Bytes>(*this, row, column, "bytes").data;
}

bool names_postgres(std::string_view url) {
    return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

std::string sqlite_path(const std::string& url) {
    std::string path = url.substr(sqlite_scheme.size());
    if (path.empty() || path.find('\0') != path.npos) {
        throw InvalidArgument("\"sqlite:\" must be followed by the path of a file, as in " +
                              std::string{"\"sqlite:shop.db\""});
    }
    if (path == ":memory:") return path;
    // The same file from wherever and by whatever link it is named: connections are opened later,
    // too, and the lock has its name.
    std::error_code failed;
    const auto whole = std::filesystem::absolute(path, failed);
    if (failed) return path;
    const auto real = std::filesystem::weakly_canonical(whole, failed);
    return failed ? whole.string() : real.string();
}

std::string scheme_of(std::string_view url) {
    const std::size_t colon = url.find(':');
    if (colon == url.npos || colon > 20) return "\"" + std::string{url.substr(0, 20)} + "\"";
    return "\"" + std::string{url.substr(0, colon + 1)} + "\"";
}

std::unique_ptr<Database> Database::open(const std::string& url, const DatabaseOptions& asked) {
    const DatabaseOptions options = with_usable_timeout(asked);
    if (url.starts_with(sqlite_scheme)) return open_sqlite_database(sqlite_path(url), options);
    if (names_postgres(url)) return open_postgres_database(url, options);
    throw InvalidArgument(scheme_of(url) + " names no database that is known here; use " +
                          "sqlite:PATH or postgresql://USER@HOST:PORT/DATABASE?schema=NAME");
}

}  // namespace recount
