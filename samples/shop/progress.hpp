#pragma once

#include <recount/core/environment.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace shop {

/// One line that tells how far something is: redrawn on a terminal, a new one every few seconds
/// elsewhere. One thread at a time.
class Progress {
public:
    /// `of`: rows in all. Rows and events that were there before do not count for the speed.
    Progress(std::int64_t of, recount::Environment& environment, std::FILE* out = stderr);

    /// Draws when it is time to.
    void show(std::int64_t rows, std::int64_t events);
    /// Draws the last line.
    void finish(std::int64_t rows, std::int64_t events, const std::string& end);

    [[nodiscard]] std::chrono::duration<double> elapsed() const;
    [[nodiscard]] bool due() const;

private:
    [[nodiscard]] std::string line(std::int64_t rows, std::int64_t events) const;

    std::int64_t of_;
    recount::Environment& environment_;
    std::FILE* out_;
    bool terminal_;
    std::chrono::nanoseconds began_;
    std::chrono::nanoseconds shown_{};
};

}  // namespace shop
