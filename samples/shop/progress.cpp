#include "progress.hpp"

#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace shop {

using namespace std::chrono_literals;

Progress::Progress(std::int64_t of, recount::Environment& environment, std::FILE* out)
    : of_(of),
      environment_(environment),
      out_(out),
      terminal_(isatty(fileno(out)) == 1),
      began_(environment.clock.steady()),
      shown_(began_) {}

std::chrono::duration<double> Progress::elapsed() const {
    return environment_.clock.steady() - began_;
}

bool Progress::due() const {
    const std::chrono::nanoseconds pause = terminal_ ? 100ms : 2s;
    return environment_.clock.steady() - shown_ >= pause;
}

std::string Progress::line(std::int64_t rows, std::int64_t events) const {
    const double seconds = std::max(elapsed().count(), 0.001);
    const double done = of_ > 0 ? static_cast<double>(rows) / static_cast<double>(of_) : 1;
    const double remaining = done > 0 ? seconds / done - seconds : 0;
    return fmt::format("{} of {} rows ({:.0f} %), {:.0f} events/s, {:.0f} s to go", rows, of_,
                       done * 100, static_cast<double>(events) / seconds, remaining);
}

void Progress::show(std::int64_t rows, std::int64_t events) {
    if (!due()) return;
    shown_ = environment_.clock.steady();
    fmt::print(out_, "{}{}{}", terminal_ ? "\r\x1b[2K" : "", line(rows, events),
               terminal_ ? "" : "\n");
    std::fflush(out_);
}

void Progress::finish(std::int64_t rows, std::int64_t events, const std::string& end) {
    const double seconds = std::max(elapsed().count(), 0.001);
    fmt::print(out_, "{}{} of {} rows, {} events in {:.1f} s, {:.0f} events/s: {}\n",
               terminal_ ? "\r\x1b[2K" : "", rows, of_, events, seconds,
               static_cast<double>(events) / seconds, end);
    std::fflush(out_);
}

}  // namespace shop
