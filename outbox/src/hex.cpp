#include "hex.hpp"

#include <array>
#include <cstdint>

namespace recount {
namespace {

constexpr std::uint8_t no_digit = 0xff;

/// The value of each character, because this runs for every record.
constexpr auto values = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(no_digit);
    for (std::uint8_t value = 0; value < 10; ++value) table[std::size_t{'0'} + value] = value;
    for (std::uint8_t value = 10; value < 16; ++value) {
        table[std::size_t{'a'} + value - 10] = value;
    }
    return table;
}();

/// Half as many bytes as there are digits.
bool decode(std::string_view digits, std::uint8_t* bytes) {
    std::uint8_t seen = 0;
    for (std::size_t index = 0; index + 1 < digits.size(); index += 2) {
        const std::uint8_t high = values[static_cast<std::uint8_t>(digits[index])];
        const std::uint8_t low = values[static_cast<std::uint8_t>(digits[index + 1])];
        seen = static_cast<std::uint8_t>(seen | high | low);
        bytes[index / 2] = static_cast<std::uint8_t>(high << 4U | (low & 15U));
    }
    return (seen & 0xf0U) == 0;
}

}  // namespace

bool from_hex(std::string_view text, std::string& bytes) {
    if (text.size() % 2 != 0) return false;
    bytes.resize(text.size() / 2);
    return decode(text, reinterpret_cast<std::uint8_t*>(bytes.data()));
}

std::string to_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const unsigned char byte : bytes) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

std::optional<Hash> parse_hash(std::string_view text) {
    Hash hash;
    if (text.size() != 2 * hash.bytes.size() || !decode(text, hash.bytes.data())) {
        return std::nullopt;
    }
    return hash;
}

}  // namespace recount
