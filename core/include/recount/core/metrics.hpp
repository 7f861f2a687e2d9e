#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace recount {

/// Names and values that tell series of one metric apart: few and bounded, never stream or event
/// ids.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Only grows. Thread-safe.
class Counter {
public:
    void add(double amount = 1);
    [[nodiscard]] double value() const;

private:
    std::atomic<double> value_{0};
};

/// Goes up and down. Thread-safe.
class Gauge {
public:
    void set(double value);
    [[nodiscard]] double value() const;

private:
    std::atomic<double> value_{0};
};

/// How many observations fell at or below each bound, their count and sum. Thread-safe.
class Histogram {
public:
    explicit Histogram(std::vector<double> bounds);
    void observe(double value);
    [[nodiscard]] std::vector<std::uint64_t> cumulative() const;  // one a bound, then all
    [[nodiscard]] double sum() const;
    [[nodiscard]] std::uint64_t count() const;
    [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }

private:
    std::vector<double> bounds_;
    std::vector<std::atomic<std::uint64_t>> buckets_;
    std::atomic<double> sum_{0};
};

/// A small registry of counters, gauges and histograms, rendered as Prometheus text (format 0.0.4).
/// The objects handed out live as long as the registry. Thread-safe.
class Metrics {
public:
    /// Seconds: 0.005 … 10, as the OpenTelemetry conventions for messaging have them.
    static const std::vector<double>& second_bounds();

    Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
    Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
    Histogram& histogram(const std::string& name, const std::string& help,
                         const Labels& labels = {},
                         const std::vector<double>& bounds = second_bounds());

    [[nodiscard]] std::string prometheus() const;

private:
    template <class Metric>
    struct Family {
        std::string help;
        std::map<Labels, std::unique_ptr<Metric>> series;
    };
    mutable std::mutex mutex_;
    std::map<std::string, Family<Counter>> counters_;
    std::map<std::string, Family<Gauge>> gauges_;
    std::map<std::string, Family<Histogram>> histograms_;
};

}  // namespace recount
