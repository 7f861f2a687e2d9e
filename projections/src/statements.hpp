#pragma once

#include <string_view>

namespace recount::projections {

/// Would one of these statements begin or end the transaction they are run in? `rollback to` a
/// savepoint does not.
bool ends_transaction(std::string_view script);

}  // namespace recount::projections
