#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <recount/eventstore/sql.hpp>

namespace recount {

/// What a URL names: "sqlite:shop.db" is the scheme "sqlite" and the path "shop.db".
constexpr std::string_view sqlite_scheme = "sqlite:";
constexpr std::string_view memory_scheme = "memory:";

bool names_postgres(std::string_view url);
/// The path in a "sqlite:PATH" URL; throws InvalidArgument when there is none.
std::string sqlite_path(const std::string& url);
/// The scheme of a URL that may hold secrets, for messages.
std::string scheme_of(std::string_view url);

std::unique_ptr<Database> open_sqlite_database(const std::string& path,
                                               const DatabaseOptions& options);
/// Options whose time-out every database can keep: a millisecond to a day. Servers take 0 for none,
/// and more than their clocks count for a mistake.
template <class Options>
Options with_usable_timeout(Options options) {
    options.timeout =
        std::clamp<Duration>(options.timeout, std::chrono::milliseconds{1}, std::chrono::hours{24});
    return options;
}

/// A schema of a PostgreSQL database.
std::unique_ptr<Database> open_postgres_database(const std::string& url,
                                                 const DatabaseOptions& options);

}  // namespace recount
