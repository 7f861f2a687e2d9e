#pragma once

#include <recount/core/stream.hpp>

namespace recount {

/// Throws InvalidArgument for a name that StreamName::parse() would refuse.
void check_name(const StreamName& stream);

}  // namespace recount
