#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace recount {

/// The character at the front of some bytes, and how many of them it takes; 0: there is none that
/// is well formed.
struct Utf8Character {
    std::size_t length = 0;
    std::uint32_t code = 0;
};

/// As RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
constexpr Utf8Character utf8_character(std::string_view bytes) {
    if (bytes.empty()) return {};
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    const std::uint8_t lead = at(0);
    if (lead < 0x80) return {1, lead};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return {};
    std::uint32_t code = lead & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((at(i) & 0xc0) != 0x80) return {};
        code = (code << 6) | (at(i) & 0x3fU);
    }
    const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < least || surrogate || code > 0x10ffff) return {};
    return {length, code};
}

/// Bytes of the well-formed UTF-8 sequence at the front; 0 when there is none.
constexpr std::size_t utf8_sequence(std::string_view bytes) { return utf8_character(bytes).length; }

/// Nothing but such sequences, and no control character (C0, DEL, C1) unless these are allowed.
constexpr bool is_utf8(std::string_view bytes, bool allow_control) {
    while (!bytes.empty()) {
        const auto plain = static_cast<std::uint8_t>(bytes.front());
        if (plain >= 0x20 && plain < 0x7f) {  // nearly all there is
            bytes.remove_prefix(1);
            continue;
        }
        const Utf8Character next = utf8_character(bytes);
        if (next.length == 0) return false;
        const bool control = next.code < 0x20 || (next.code >= 0x7f && next.code < 0xa0);
        if (control && !allow_control) return false;
        bytes.remove_prefix(next.length);
    }
    return true;
}

/// Nothing but such sequences.
constexpr bool valid_utf8(std::string_view bytes) { return is_utf8(bytes, true); }

/// Text of any origin, made fit to be recorded: valid UTF-8, with '?' for each byte that is not,
/// and cut between two characters.
std::string recordable(std::string_view text, std::size_t most_bytes);

}  // namespace recount
