#include "postgres_wire.hpp"

#include <recount/core/error.hpp>

#include <spdlog/fmt/fmt.h>

#include <bit>
#include <charconv>
#include <limits>

namespace recount::postgres {

namespace {

void put_integer(std::string& out, std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>((value >> shift) & 0xff));
    }
}

std::uint64_t get_integer(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
}

std::uint32_t array_of(Type element) {
    switch (element) {
        case Type::bytea:
            return 1001;
        case Type::integer:
            return 1007;
        case Type::text:
            return 1009;
        case Type::bigint:
            return 1016;
        case Type::double_precision:
            return 1022;
        default:
            break;
    }
    throw Error(fmt::format("there is no array of type {}", static_cast<std::uint32_t>(element)));
}

Parameter binary(Type type, std::string bytes) {
    return {static_cast<std::uint32_t>(type), true, false, std::move(bytes)};
}

template <class Number>
std::optional<Number> parsed(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return number;
}

std::string unhex(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t at = 2; at + 1 < text.size(); at += 2) {  // behind "\x"
        std::uint8_t byte = 0;
        std::from_chars(text.data() + at, text.data() + at + 2, byte, 16);
        bytes.push_back(static_cast<char>(byte));
    }
    return bytes;
}

}  // namespace

Parameter bigint(std::int64_t value) {
    std::string bytes;
    put_integer(bytes, static_cast<std::uint64_t>(value), 8);
    return binary(Type::bigint, std::move(bytes));
}

Parameter integer(std::int32_t value) {
    std::string bytes;
    put_integer(bytes, static_cast<std::uint32_t>(value), 4);
    return binary(Type::integer, std::move(bytes));
}

Parameter text(std::string_view value) { return binary(Type::text, std::string{value}); }
Parameter bytea(std::string_view value) { return binary(Type::bytea, std::string{value}); }

Parameter parameter(const SqlValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return bigint(*number);
    if (const auto* real = std::get_if<double>(&value)) {
        std::string bytes;
        put_integer(bytes, std::bit_cast<std::uint64_t>(*real), 8);
        return binary(Type::double_precision, std::move(bytes));
    }
    if (const auto* string = std::get_if<std::string>(&value)) {
        if (string->find('\0') != std::string::npos) {
            throw InvalidArgument(
                "a text argument of an SQL statement holds a NUL byte; pass Bytes");
        }
        return {0, false, false, *string};
    }
    if (const auto* bytes = std::get_if<Bytes>(&value)) return bytea(bytes->data);
    return {};
}

Array::Array(Type element) : element_(element) {
    static_cast<void>(array_of(element));
    bytes_.resize(20);  // the header, filled in by finish()
}

void Array::put(std::uint32_t value) { put_integer(bytes_, value, 4); }

Array& Array::add(std::int64_t value) {
    const int width = element_ == Type::integer ? 4 : 8;
    put(static_cast<std::uint32_t>(width));
    put_integer(bytes_, static_cast<std::uint64_t>(value), width);
    ++size_;
    return *this;
}

Array& Array::add(std::string_view bytes) {
    put(static_cast<std::uint32_t>(bytes.size()));
    bytes_ += bytes;
    ++size_;
    return *this;
}

Array& Array::add_null() {
    put(std::numeric_limits<std::uint32_t>::max());
    nulls_ = true;
    ++size_;
    return *this;
}

Array& Array::add(const SqlValue& value) {
    if (std::holds_alternative<std::monostate>(value)) return add_null();
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        if (element_ == Type::bigint) return add(*number);
        if (element_ == Type::double_precision) {
            return add(std::bit_cast<std::int64_t>(static_cast<double>(*number)));
        }
    }
    if (const auto* real = std::get_if<double>(&value);
        real && element_ == Type::double_precision) {
        return add(std::bit_cast<std::int64_t>(*real));
    }
    if (const auto* string = std::get_if<std::string>(&value); string && element_ == Type::text) {
        return add(std::string_view{*string});
    }
    if (const auto* bytes = std::get_if<Bytes>(&value); bytes && element_ == Type::bytea) {
        return add(std::string_view{bytes->data});
    }
    throw InvalidArgument("a value of a row is not of the type its column was said to have");
}

Parameter Array::finish() && {
    std::string header;
    put_integer(header, size_ == 0 ? 0 : 1, 4);  // dimensions
    put_integer(header, nulls_ ? 1 : 0, 4);
    put_integer(header, static_cast<std::uint32_t>(element_), 4);
    if (size_ == 0) return {array_of(element_), true, false, std::move(header)};
    put_integer(header, static_cast<std::uint32_t>(size_), 4);
    put_integer(header, 1, 4);  // the lower bound
    bytes_.replace(0, header.size(), header);
    return {array_of(element_), true, false, std::move(bytes_)};
}

Type type_named(std::string_view name) {
    if (name == "bigint") return Type::bigint;
    if (name == "double precision") return Type::double_precision;
    if (name == "text") return Type::text;
    if (name == "bytea") return Type::bytea;
    throw InvalidArgument(fmt::format(
        "a column cannot have type '{}' here; use bigint, double precision, text or bytea", name));
}

bool reads_binary(std::uint32_t type) {
    switch (static_cast<Type>(type)) {
        case Type::boolean:
        case Type::bytea:
        case Type::name:
        case Type::bigint:
        case Type::smallint:
        case Type::integer:
        case Type::text:
        case Type::real:
        case Type::double_precision:
        case Type::bpchar:
        case Type::varchar:
        case Type::void_:
            return true;
        default:
            return false;
    }
}

std::int64_t read_integer(std::string_view bytes) {
    const std::uint64_t value = get_integer(bytes);
    return bytes.size() == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
}

SqlValue read_binary(std::uint32_t type, std::string_view bytes) {
    switch (static_cast<Type>(type)) {
        case Type::boolean:
            return static_cast<std::int64_t>(bytes[0] != 0);
        case Type::smallint:
            return std::int64_t{static_cast<std::int16_t>(get_integer(bytes))};
        case Type::integer:
        case Type::bigint:
            return read_integer(bytes);
        case Type::real:
            return double{std::bit_cast<float>(static_cast<std::uint32_t>(get_integer(bytes)))};
        case Type::double_precision:
            return std::bit_cast<double>(get_integer(bytes));
        case Type::bytea:
            return Bytes{std::string{bytes}};
        case Type::void_:
            return std::monostate{};
        default:
            return std::string{bytes};
    }
}

SqlValue read_text(std::uint32_t type, std::string_view text) {
    switch (static_cast<Type>(type)) {
        case Type::boolean:
            return static_cast<std::int64_t>(text == "t");
        case Type::bytea:
            return Bytes{unhex(text)};
        case Type::smallint:
        case Type::integer:
        case Type::bigint:
        case Type::numeric:
            if (const auto number = parsed<std::int64_t>(text)) return *number;
            [[fallthrough]];
        case Type::real:
        case Type::double_precision:
            if (const auto number = parsed<double>(text)) return *number;
            return std::string{text};
        case Type::void_:
            return std::monostate{};
        default:
            return std::string{text};
    }
}

std::string identifier(std::string_view name) {
    std::string quoted = "\"";
    std::size_t length = 0;
    int dots = 0;
    for (const char c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool digit = c >= '0' && c <= '9';
        if (c == '.' && length > 0 && ++dots == 1) {
            quoted += "\".\"";
            length = 0;
            continue;
        }
        if (!(letter || (digit && length > 0)) || ++length > 63) {
            length = 0;
            break;
        }
        quoted.push_back(c);
    }
    if (length == 0) {
        throw InvalidArgument(fmt::format(
            "'{}' is no name for a table or column: use letters, digits and '_', at most 63",
            name));
    }
    return quoted + '"';
}

}  // namespace recount::postgres
