#include "reason.hpp"

#include <algorithm>
#include <cstdint>

namespace recount::saga {
namespace {

/// How many bytes the first character has; 0 when it is none (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF).
std::size_t first_character(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    const std::uint8_t lead = at(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((at(i) & 0xc0) != 0x80) return 0;
    const bool overlong = (lead == 0xe0 && at(1) < 0xa0) || (lead == 0xf0 && at(1) < 0x90);
    const bool surrogate = lead == 0xed && at(1) >= 0xa0;
    const bool too_large = lead == 0xf4 && at(1) >= 0x90;
    return overlong || surrogate || too_large ? 0 : length;
}

}  // namespace

std::string recordable(std::string_view text, std::size_t most_bytes) {
    std::string result;
    while (!text.empty()) {
        const std::size_t length = first_character(text);
        const std::size_t bytes = std::max<std::size_t>(1, length);
        if (result.size() + bytes > most_bytes) break;
        result += length == 0 ? std::string_view{"?"} : text.substr(0, bytes);
        text.remove_prefix(bytes);
    }
    return result;
}

}  // namespace recount::saga
