#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace recount::test::projections {

/// What is logged while it lives, in place of the log. One at a time.
class LogLines {
public:
    LogLines() {
        auto logger = std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
        logger->set_pattern("%l: %v");
        spdlog::set_default_logger(std::move(logger));
    }
    ~LogLines() { spdlog::set_default_logger(before_); }
    LogLines(const LogLines&) = delete;
    LogLines& operator=(const LogLines&) = delete;

    /// Those that hold `words`, as "level: text".
    [[nodiscard]] std::vector<std::string> with(const std::string& words) const {
        std::vector<std::string> found;
        std::istringstream all{text_.str()};
        for (std::string line; std::getline(all, line);) {
            if (line.find(words) != std::string::npos) found.push_back(line);
        }
        return found;
    }

private:
    std::ostringstream text_;
    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

}  // namespace recount::test::projections
