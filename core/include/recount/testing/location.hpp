#pragma once

namespace recount::test {

/// A line of a test. As a default argument, `= here()`, it is the line of the call.
struct Location {
    const char* file = "";
    int line = 0;
};

constexpr Location here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
}

}  // namespace recount::test
