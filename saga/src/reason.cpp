#include "reason.hpp"

#include <algorithm>

#include <recount/core/utf8.hpp>

namespace recount::saga {

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

}  // namespace recount::saga
