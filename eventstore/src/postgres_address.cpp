#include "postgres_address.hpp"

#include <recount/core/error.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <string_view>

namespace recount::postgres {

namespace {

bool is_schema_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    return !name.empty() && name.size() <= 63 && letter(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

Address parse_address(const std::string& url) {
    if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) {
        throw InvalidArgument(
            "this is no PostgreSQL URL; write postgresql://USER@HOST:PORT/DATABASE?schema=NAME");
    }
    Address address;
    const std::size_t query = url.find('?');
    address.connection = url.substr(0, query);
    char separator = '?';
    std::size_t at = query == std::string::npos ? url.size() : query + 1;
    while (at < url.size()) {
        const std::size_t end = std::min(url.find('&', at), url.size());
        const std::string_view item{url.data() + at, end - at};
        if (item.starts_with("schema=")) {
            if (!address.schema.empty()) {
                throw InvalidArgument("the PostgreSQL URL names two schemas; name one");
            }
            address.schema = item.substr(7);
        } else if (!item.empty()) {
            (address.connection += separator) += item;
            separator = '&';
        }
        at = end + 1;
    }
    if (address.schema.empty()) {
        throw InvalidArgument(
            "the PostgreSQL URL names no schema; add ?schema=NAME, a schema of recount's own");
    }
    if (!is_schema_name(address.schema) || address.schema.starts_with("pg_")) {
        throw InvalidArgument(
            fmt::format("'{}' cannot be the schema of a store; use at most 63 lower-case letters, "
                        "digits and '_', not beginning with a digit or 'pg_'",
                        address.schema));
    }
    return address;
}

}  // namespace recount::postgres
