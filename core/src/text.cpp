#include "text.hpp"

#include <recount/core/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace recount::text {
namespace {

struct Decoded {
    std::size_t length = 0;  // 0: malformed
    std::uint32_t code = 0;
};

Decoded malformed() { return {}; }

Decoded decode(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    const std::uint8_t lead = at(0);
    if (lead < 0x80) return {1, lead};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return malformed();
    std::uint32_t code = lead & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((at(i) & 0xc0) != 0x80) return malformed();
        code = (code << 6) | (at(i) & 0x3fU);
    }
    const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < least || surrogate || code > 0x10ffff) return malformed();
    return {length, code};
}

bool check(std::string_view bytes, bool allow_control) {
    while (!bytes.empty()) {
        const auto plain = static_cast<std::uint8_t>(bytes.front());
        if (plain >= 0x20 && plain < 0x7f) {  // nearly all there is
            bytes.remove_prefix(1);
            continue;
        }
        const Decoded next = decode(bytes);
        if (next.length == 0) return false;
        const bool control = next.code < 0x20 || (next.code >= 0x7f && next.code < 0xa0);
        if (control && !allow_control) return false;
        bytes.remove_prefix(next.length);
    }
    return true;
}

}  // namespace

bool printable(std::string_view bytes) { return check(bytes, false); }

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

std::size_t utf8_sequence(std::string_view bytes) {
    return bytes.empty() ? 0 : text::decode(bytes).length;
}

bool valid_utf8(std::string_view bytes) { return text::check(bytes, true); }

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
