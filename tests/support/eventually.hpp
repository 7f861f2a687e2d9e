#pragma once

#include <recount/core/environment.hpp>

#include <functional>

namespace recount::test {

/// Polls until `condition` holds; false when it does not within `limit`, which is generous because
/// only a failing test waits that long.
bool eventually(const std::function<bool()>& condition, Duration limit = std::chrono::seconds{60});

}  // namespace recount::test
