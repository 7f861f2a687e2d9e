#include "base64url.hpp"

#include <array>
#include <cstdint>

namespace recount {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> values = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::int8_t>(i);
    }
    return table;
}();

}  // namespace

std::string base64url(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size() * 4 / 3 + 2);
    std::uint32_t pending = 0;
    int bits = 0;
    for (const char byte : bytes) {
        pending = (pending << 8 | static_cast<std::uint8_t>(byte)) & 0x3fff;
        for (bits += 8; bits >= 6; bits -= 6) {
            text.push_back(alphabet[pending >> (bits - 6) & 63]);
        }
    }
    if (bits > 0) text.push_back(alphabet[pending << (6 - bits) & 63]);
    return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t pending = 0;
    int bits = 0;
    for (const char c : text) {
        const std::int8_t value = values[static_cast<std::uint8_t>(c)];
        if (value < 0) return std::nullopt;
        pending = (pending << 6 | static_cast<std::uint8_t>(value)) & 0x3fff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<char>(pending >> bits & 0xff));
        }
    }
    const bool spare_is_zero = (pending & ((1U << bits) - 1)) == 0;
    if (bits >= 6 || !spare_is_zero) return std::nullopt;
    return bytes;
}

}  // namespace recount
