#pragma once

#include <string>
#include <string_view>

namespace recount::text {

/// Well-formed UTF-8 without control characters (C0, DEL, C1).
bool printable(std::string_view bytes);

/// Lower-case hex digits.
std::string hex(std::string_view bytes);

/// For messages: at most 80 bytes, what is not printable ASCII replaced by '?', in quotes.
std::string quoted(std::string_view bytes);

}  // namespace recount::text
