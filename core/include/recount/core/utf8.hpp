#pragma once

#include <cstddef>
#include <string_view>

namespace recount {

/// Bytes of the well-formed UTF-8 sequence at the front (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF); 0 when there is none.
std::size_t utf8_sequence(std::string_view bytes);

}  // namespace recount
