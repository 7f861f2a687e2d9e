#include <recount/core/metrics.hpp>

#include <recount/core/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "text.hpp"

namespace recount {
namespace {

bool is_name(std::string_view name, std::string_view also) {
    const auto letter = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
               also.find(c) != std::string_view::npos;
    };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return !name.empty() && letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

/// Sorted, so that the order in which a caller gives them makes no second series.
Labels checked(const std::string& metric, Labels labels, bool histogram) {
    if (!is_name(metric, ":")) {
        throw InvalidArgument("metric name " + text::quoted(metric) +
                              " is not [a-zA-Z_:][a-zA-Z0-9_:]*; rename it");
    }
    std::sort(labels.begin(), labels.end());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const std::string& name = labels[i].first;
        const bool reserved = name.starts_with("__") || (histogram && name == "le");
        const bool twice = i > 0 && labels[i - 1].first == name;
        if (!is_name(name, "") || reserved || twice) {
            throw InvalidArgument("label " + text::quoted(name) + " of metric " + metric +
                                  " is not a name, is reserved or comes twice; rename it");
        }
    }
    return labels;
}

std::string escaped(std::string_view value, bool quote) {
    std::string out;
    for (const char c : value) {
        if (c == '\\') {
            out += "\\\\";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '"' && quote) {
            out += "\\\"";
        } else {
            out += c;
        }
    }
    return out;
}

std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    std::array<char, 32> buffer;
    const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
    const auto format = whole ? std::chars_format::fixed : std::chars_format::general;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
    return {buffer.data(), end};
}

std::string braces(const Labels& labels) {
    if (labels.empty()) return {};
    std::string out;
    for (const auto& [name, value] : labels) {
        out += (out.empty() ? "{" : ",") + name + "=\"" + escaped(value, true) + "\"";
    }
    return out + "}";
}

void put_head(std::string& out, const std::string& name, const std::string& help,
              std::string_view type) {
    out += "# HELP " + name + " " + escaped(help, false) + "\n";
    out += "# TYPE " + name + " ";
    out.append(type).append("\n");
}

void put_line(std::string& out, const std::string& name, const Labels& labels,
              const std::string& value) {
    out += name + braces(labels) + " " + value + "\n";
}

void put_histogram(std::string& out, const std::string& name, const Labels& labels,
                   const Histogram& histogram) {
    const double sum = histogram.sum();
    const auto counts = histogram.cumulative();
    for (std::size_t i = 0; i < counts.size(); ++i) {
        Labels with_bound = labels;
        with_bound.emplace_back(
            "le", i < histogram.bounds().size() ? number(histogram.bounds()[i]) : "+Inf");
        put_line(out, name + "_bucket", with_bound, std::to_string(counts[i]));
    }
    put_line(out, name + "_sum", labels, number(sum));
    put_line(out, name + "_count", labels, std::to_string(counts.back()));
}

std::vector<double> checked_bounds(std::vector<double> bounds) {
    const bool ascending =
        std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>{}) == bounds.end();
    const bool finite = std::all_of(bounds.begin(), bounds.end(),
                                    [](double bound) { return std::isfinite(bound); });
    if (!ascending || !finite) {
        throw InvalidArgument("a histogram's bounds are finite and ascending; sort them");
    }
    return bounds;
}

[[noreturn]] void other_kind(const std::string& name) {
    throw InvalidArgument("metric " + name +
                          " exists as another kind (counter, gauge, histogram); rename one");
}

}  // namespace

void Counter::add(double amount) {
    if (amount > 0) value_.fetch_add(amount, std::memory_order_relaxed);
}

double Counter::value() const { return value_.load(std::memory_order_relaxed); }

void Gauge::set(double value) { value_.store(value, std::memory_order_relaxed); }

double Gauge::value() const { return value_.load(std::memory_order_relaxed); }

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(checked_bounds(std::move(bounds))), buckets_(bounds_.size() + 1) {}

void Histogram::observe(double value) {
    if (std::isnan(value)) return;
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    buckets_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::cumulative() const {
    std::vector<std::uint64_t> counts;
    for (const auto& bucket : buckets_) counts.push_back(bucket.load(std::memory_order_relaxed));
    std::partial_sum(counts.begin(), counts.end(), counts.begin());
    return counts;
}

double Histogram::sum() const { return sum_.load(std::memory_order_relaxed); }

std::uint64_t Histogram::count() const { return cumulative().back(); }

const std::vector<double>& Metrics::second_bounds() {
    static const std::vector<double> bounds{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                            0.5,   0.75, 1,     2.5,  5,     7.5, 10};
    return bounds;
}

Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
    const Labels sorted = checked(name, labels, false);
    std::lock_guard lock{mutex_};
    if (gauges_.contains(name) || histograms_.contains(name)) other_kind(name);
    auto& family = counters_.try_emplace(name, Family<Counter>{help, {}}).first->second;
    auto& slot = family.series[sorted];
    if (!slot) slot = std::make_unique<Counter>();
    return *slot;
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
    const Labels sorted = checked(name, labels, false);
    std::lock_guard lock{mutex_};
    if (counters_.contains(name) || histograms_.contains(name)) other_kind(name);
    auto& family = gauges_.try_emplace(name, Family<Gauge>{help, {}}).first->second;
    auto& slot = family.series[sorted];
    if (!slot) slot = std::make_unique<Gauge>();
    return *slot;
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help,
                              const Labels& labels, const std::vector<double>& bounds) {
    const Labels sorted = checked(name, labels, true);
    std::lock_guard lock{mutex_};
    if (counters_.contains(name) || gauges_.contains(name)) other_kind(name);
    const auto family = histograms_.find(name);
    if (family != histograms_.end()) {
        const auto found = family->second.series.find(sorted);
        if (found != family->second.series.end()) return *found->second;
    }
    auto made = std::make_unique<Histogram>(bounds);  // refuses bounds before there is a series
    auto& series = histograms_.try_emplace(name, Family<Histogram>{help, {}}).first->second.series;
    return *series.emplace(sorted, std::move(made)).first->second;
}

std::string Metrics::prometheus() const {
    std::lock_guard lock{mutex_};
    std::string out;
    for (const auto& [name, family] : counters_) {
        put_head(out, name, family.help, "counter");
        for (const auto& [labels, one] : family.series) {
            put_line(out, name, labels, number(one->value()));
        }
    }
    for (const auto& [name, family] : gauges_) {
        put_head(out, name, family.help, "gauge");
        for (const auto& [labels, one] : family.series) {
            put_line(out, name, labels, number(one->value()));
        }
    }
    for (const auto& [name, family] : histograms_) {
        put_head(out, name, family.help, "histogram");
        for (const auto& [labels, one] : family.series) put_histogram(out, name, labels, *one);
    }
    return out;
}

}  // namespace recount
