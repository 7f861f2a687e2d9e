#include "text.hpp"

#include <recount/core/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace recount::text {

bool printable(std::string_view bytes) { return is_utf8(bytes, false); }

std::string hex(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char byte : bytes) {
        const auto value = static_cast<std::uint8_t>(byte);
        out.push_back(digits[value >> 4]);
        out.push_back(digits[value & 15]);
    }
    return out;
}

std::string quoted(std::string_view bytes) {
    static constexpr std::size_t most = 80;
    std::string out = "\"";
    for (const char byte : bytes.substr(0, most)) {
        out.push_back(byte >= 0x20 && byte < 0x7f ? byte : '?');
    }
    if (bytes.size() > most) out += "...";
    return out + "\"";
}

}  // namespace recount::text

namespace recount {

std::string recordable(std::string_view text, std::size_t most_bytes) {
    std::string result;
    while (!text.empty()) {
        const std::size_t length = utf8_sequence(text);
        const std::size_t bytes = std::max<std::size_t>(1, length);
        if (result.size() + bytes > most_bytes) break;
        result += length == 0 ? std::string_view{"?"} : text.substr(0, bytes);
        text.remove_prefix(bytes);
    }
    return result;
}

}  // namespace recount
