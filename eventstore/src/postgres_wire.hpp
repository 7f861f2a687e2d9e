#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <recount/core/values.hpp>
#include <recount/eventstore/sql.hpp>

namespace recount::postgres {

/// The types that recount sends and reads in binary, by their numbers in pg_type.
enum class Type : std::uint32_t {
    inferred = 0,
    boolean = 16,
    bytea = 17,
    name = 19,
    bigint = 20,
    smallint = 21,
    integer = 23,
    text = 25,
    real = 700,
    double_precision = 701,
    bpchar = 1042,
    varchar = 1043,
    numeric = 1700,
    void_ = 2278,
};

/// One argument of a statement as it goes over the wire.
struct Parameter {
    std::uint32_t type = 0;  // 0: the server infers it
    bool binary = false;
    bool null = true;
    std::string bytes;
};

Parameter bigint(std::int64_t value);
Parameter integer(std::int32_t value);
Parameter text(std::string_view value);
Parameter bytea(std::string_view value);
/// Text is left to the server to type, so that it fits a column of any type; throws InvalidArgument
/// when it holds a NUL byte, which PostgreSQL has no text for.
Parameter parameter(const SqlValue& value);

/// A one-dimensional array, element by element, in PostgreSQL's binary form.
class Array {
public:
    /// bigint, integer, double precision, text or bytea.
    explicit Array(Type element);

    Array& add(std::int64_t value);
    Array& add(std::string_view bytes);
    Array& add_null();
    /// Throws Error when the value is not of the element's type.
    Array& add(const SqlValue& value);
    [[nodiscard]] std::int32_t size() const { return size_; }
    Parameter finish() &&;

private:
    void put(std::uint32_t value);

    Type element_;
    std::int32_t size_ = 0;
    bool nulls_ = false;
    std::string bytes_;
};

/// "bigint", "double precision", "text" or "bytea"; throws InvalidArgument.
Type type_named(std::string_view name);

/// A bigint or integer, in binary.
std::int64_t read_integer(std::string_view bytes);
/// Whether values of this type can be read in binary.
bool reads_binary(std::uint32_t type);
SqlValue read_binary(std::uint32_t type, std::string_view bytes);
/// numeric becomes an integer when it is one that fits, what is unknown stays text.
SqlValue read_text(std::uint32_t type, std::string_view text);

/// "name" for use in SQL. Only for names of tables and columns that come from code; throws
/// InvalidArgument unless made of letters, digits, '_' and at most one '.' (schema.table).
std::string identifier(std::string_view name);

}  // namespace recount::postgres
