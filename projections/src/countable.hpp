#pragma once

#include <algorithm>

#include <recount/core/environment.hpp>

namespace recount::projections {

/// As long as that, but no longer than the steady clock can count on from now: a year.
inline Duration countable(Duration time) {
    return std::min(time, Duration{std::chrono::hours{24 * 365}});
}

}  // namespace recount::projections
