#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace recount {

/// RFC 4648 §5 without padding.
std::string base64url(std::string_view bytes);
/// Nothing unless `text` is exactly what base64url() makes of some bytes.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace recount
