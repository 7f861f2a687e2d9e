#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

#include <recount/core/utf8.hpp>

namespace recount::saga {

/// Why a person is asked. It may quote what somebody's code threw.
constexpr std::size_t reason_bytes = 2048;
inline std::string reason(std::string_view text) { return recordable(text, reason_bytes); }

/// What is being handled was thrown, in words. Somebody's code may throw anything.
inline std::string thrown() {
    try {
        throw;
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "what was thrown is no std::exception";
    }
}

}  // namespace recount::saga
