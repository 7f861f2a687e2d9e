#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace recount::saga {

/// So much later; nothing when that lies behind the end of time: a limit may be as long as
/// Duration::max(), and is then none.
inline std::optional<std::int64_t> later_us(std::int64_t at_us, std::int64_t by_us) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(at_us, by_us, &sum)) return std::nullopt;
    return sum;
}

/// A pause that was doubled so often, or the longest there is.
inline std::int64_t doubled_us(std::int64_t pause_us, std::uint32_t doublings) {
    constexpr std::int64_t longest = std::numeric_limits<std::int64_t>::max();
    return pause_us > (longest >> doublings) ? longest : pause_us << doublings;
}

}  // namespace recount::saga
