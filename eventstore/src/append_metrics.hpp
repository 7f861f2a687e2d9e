#pragma once

#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/append.hpp>
#include <recount/core/metrics.hpp>

namespace recount {

/// Counts what one store's appends come to. Thread-safe.
class AppendMetrics {
public:
    explicit AppendMetrics(Metrics& metrics);

    void note(std::span<const AppendResult> results, std::chrono::nanoseconds took);
    void failed(const std::exception& error);

private:
    Counter& appended(std::string_view category);

    Metrics& metrics_;
    Histogram& duration_;
    Counter& conflicts_;
    std::mutex mutex_;  // of appended_
    std::map<std::string, Counter*, std::less<>> appended_;
};

}  // namespace recount
