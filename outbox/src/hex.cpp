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

constexpr std::size_t block = 32;  // digits: a salt, half a hash

/// A block of them: written so that compilers make vector instructions of it.
bool decode_block(const char* digits, std::uint8_t* bytes) {
    std::array<std::uint8_t, block> numbers;
    std::uint8_t wrong = 0;
    for (std::size_t index = 0; index < block; ++index) {
        const auto digit = static_cast<std::uint8_t>(digits[index] - '0');
        const auto letter = static_cast<std::uint8_t>(digits[index] - 'a');
        const auto is_digit = static_cast<std::uint8_t>(digit < 10 ? 0xff : 0);
        const auto is_letter = static_cast<std::uint8_t>(letter < 6 ? 0xff : 0);
        numbers[index] =
            static_cast<std::uint8_t>((digit & is_digit) | ((letter + 10) & is_letter));
        wrong =
            static_cast<std::uint8_t>(wrong | static_cast<std::uint8_t>(~(is_digit | is_letter)));
    }
    for (std::size_t index = 0; index < block / 2; ++index) {
        bytes[index] = static_cast<std::uint8_t>(numbers[2 * index] << 4U | numbers[2 * index + 1]);
    }
    return wrong == 0;
}

/// Half as many bytes as there are digits.
bool decode(std::string_view digits, std::uint8_t* bytes) {
    for (; digits.size() >= block; digits.remove_prefix(block), bytes += block / 2) {
        if (!decode_block(digits.data(), bytes)) return false;
    }
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
