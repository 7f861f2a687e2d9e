#pragma once

#include <string>

namespace recount::postgres {

/// What a `postgresql://…?schema=NAME` URL says.
struct Address {
    std::string connection;  // the URL without its schema, as libpq takes it; holds secrets
    std::string schema;
};

/// Throws InvalidArgument when there is no schema, or its name is not [a-z_][a-z0-9_]{0,62}. The
/// message holds nothing of the URL but the schema.
Address parse_address(const std::string& url);

}  // namespace recount::postgres
