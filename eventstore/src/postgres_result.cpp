#include "postgres_result.hpp"

#include <recount/core/error.hpp>

#include <libpq-fe.h>
#include <spdlog/fmt/fmt.h>

#include "postgres_wire.hpp"

namespace recount::postgres {
namespace {

int number(std::size_t index) { return static_cast<int>(index); }

bool is_text(std::uint32_t type) {
    switch (static_cast<Type>(type)) {
        case Type::text:
        case Type::name:
        case Type::varchar:
        case Type::bpchar:
            return true;
        default:
            return false;
    }
}

}  // namespace

void Result::Clear::operator()(pg_result* result) const { PQclear(result); }

Result::Result(pg_result* received)
    : result_(received),
      size_(static_cast<std::size_t>(PQntuples(received))),
      columns_(static_cast<std::size_t>(PQnfields(received))) {
    for (const char digit : std::string_view{PQcmdTuples(received)}) {
        affected = affected * 10 + (digit - '0');
    }
}

std::string_view Result::at(std::size_t row, std::size_t column) const {
    if (row >= size_ || column >= columns_) {
        throw Error(fmt::format(
            "row {}, column {} was asked of a result with {} rows and {} columns; compare the "
            "call with its SQL",
            row, column, size_, columns_));
    }
    return {PQgetvalue(result_.get(), number(row), number(column)),
            static_cast<std::size_t>(PQgetlength(result_.get(), number(row), number(column)))};
}

bool Result::null(std::size_t row, std::size_t column) const {
    return at(row, column).empty() && PQgetisnull(result_.get(), number(row), number(column)) != 0;
}

SqlValue Result::value(std::size_t row, std::size_t column) const {
    if (null(row, column)) return {};
    const Oid type = PQftype(result_.get(), number(column));
    const bool binary = PQfformat(result_.get(), number(column)) == 1;
    return binary ? read_binary(type, at(row, column)) : read_text(type, at(row, column));
}

void Result::wrong(std::size_t row, std::size_t column, std::string_view wanted) const {
    throw Error(fmt::format(
        "column {} holds {} where {} was expected; compare the call with its SQL",
        PQfname(result_.get(), number(column)),
        null(row, column) ? "null" : fmt::format("type {}", PQftype(result_.get(), number(column))),
        wanted));
}

std::int64_t Result::integer(std::size_t row, std::size_t column) const {
    const bool binary = PQfformat(result_.get(), number(column)) == 1;
    const auto type = static_cast<Type>(PQftype(result_.get(), number(column)));
    if (binary && (type == Type::bigint || type == Type::integer)) {  // nearly always
        const std::string_view bytes = at(row, column);
        if (!bytes.empty()) return read_integer(bytes);
    }
    const SqlValue found = value(row, column);
    if (const auto* number = std::get_if<std::int64_t>(&found)) return *number;
    wrong(row, column, "an integer");
}

std::string_view Result::text(std::size_t row, std::size_t column) const {
    if (null(row, column) || !is_text(PQftype(result_.get(), number(column)))) {
        wrong(row, column, "text");
    }
    return at(row, column);
}

std::string_view Result::bytes(std::size_t row, std::size_t column) const {
    const auto found = bytes_or_null(row, column);
    if (!found) wrong(row, column, "binary bytes");
    return *found;
}

std::optional<std::string_view> Result::bytes_or_null(std::size_t row, std::size_t column) const {
    const std::string_view found = at(row, column);
    if (found.empty() && PQgetisnull(result_.get(), number(row), number(column)) != 0) return {};
    const bool binary = PQfformat(result_.get(), number(column)) == 1;
    if (!binary || static_cast<Type>(PQftype(result_.get(), number(column))) != Type::bytea) {
        wrong(row, column, "binary bytes");
    }
    return found;
}

std::vector<std::uint32_t> Result::types() const {
    std::vector<std::uint32_t> types;
    for (std::size_t column = 0; column < columns_; ++column) {
        types.push_back(PQftype(result_.get(), number(column)));
    }
    return types;
}

SqlResult Result::copy() const {
    SqlResult rows;
    rows.affected = affected;
    for (std::size_t column = 0; column < columns_; ++column) {
        rows.columns.emplace_back(PQfname(result_.get(), number(column)));
    }
    rows.rows.resize(size_);
    for (std::size_t row = 0; row < size_; ++row) {
        rows.rows[row].reserve(columns_);
        for (std::size_t column = 0; column < columns_; ++column) {
            rows.rows[row].push_back(value(row, column));
        }
    }
    return rows;
}

}  // namespace recount::postgres
