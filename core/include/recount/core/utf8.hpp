#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace recount {

/// Bytes of the well-formed UTF-8 sequence at the front (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF); 0 when there is none.
std::size_t utf8_sequence(std::string_view bytes);

/// Nothing but such sequences.
bool valid_utf8(std::string_view bytes);

/// Text of any origin, made fit to be recorded: valid UTF-8, with '?' for each byte that is not,
/// and cut between two characters.
std::string recordable(std::string_view text, std::size_t most_bytes);

}  // namespace recount
