#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <recount/core/values.hpp>

namespace recount {

std::string to_hex(std::string_view bytes);
/// False for anything but pairs of lower-case hex digits.
bool from_hex(std::string_view text, std::string& bytes);
std::optional<Hash> parse_hash(std::string_view text);

}  // namespace recount
