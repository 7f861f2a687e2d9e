#pragma once

#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <vector>

namespace recount::test::projections {

/// What is logged while it lives, in place of the log; the last thousand lines. One at a time;
/// others may log meanwhile.
class LogLines {
public:
    LogLines() {
        auto logger = std::make_shared<spdlog::logger>("test", sink_);
        logger->set_pattern("%l: %v");
        spdlog::set_default_logger(std::move(logger));
    }
    ~LogLines() { spdlog::set_default_logger(before_); }
    LogLines(const LogLines&) = delete;
    LogLines& operator=(const LogLines&) = delete;

    /// Those that hold `words`, as "level: text".
    [[nodiscard]] std::vector<std::string> with(const std::string& words) const {
        std::vector<std::string> found = sink_->last_formatted();
        std::erase_if(
            found, [&](const std::string& line) { return line.find(words) == std::string::npos; });
        return found;
    }

private:
    std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> sink_ =
        std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(1000);
    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

}  // namespace recount::test::projections
