#include <recount/core/environment.hpp>
#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

namespace {

using namespace recount;

TEST(MetricsText, IsWhatPrometheusReads) {
    Metrics metrics;
    metrics.counter("recount_appends_total", "Appends.", {{"store", "shop"}, {"kind", "new"}})
        .add();
    metrics.counter("recount_appends_total", "Appends.", {{"kind", "new"}, {"store", "shop"}})
        .add(2);
    metrics.gauge("recount_lag_events", "Events behind.").set(-1.5);
    Histogram& seconds = metrics.histogram("recount_append_seconds", "Time.", {}, {0.1, 1});
    for (const double value : {0.05, 0.1, 0.5, 3.0}) seconds.observe(value);
    EXPECT_EQ(metrics.prometheus(),
              "# HELP recount_appends_total Appends.\n"
              "# TYPE recount_appends_total counter\n"
              "recount_appends_total{kind=\"new\",store=\"shop\"} 3\n"
              "# HELP recount_lag_events Events behind.\n"
              "# TYPE recount_lag_events gauge\n"
              "recount_lag_events -1.5\n"
              "# HELP recount_append_seconds Time.\n"
              "# TYPE recount_append_seconds histogram\n"
              "recount_append_seconds_bucket{le=\"0.1\"} 2\n"
              "recount_append_seconds_bucket{le=\"1\"} 3\n"
              "recount_append_seconds_bucket{le=\"+Inf\"} 4\n"
              "recount_append_seconds_sum 3.65\n"
              "recount_append_seconds_count 4\n");
}

TEST(MetricsText, EscapesWhatWouldBreakALine) {
    Metrics metrics;
    metrics.counter("c", "a \\ and\na \"line\"", {{"l", "a \\ and\na \"line\""}}).add(1);
    EXPECT_EQ(metrics.prometheus(),
              "# HELP c a \\\\ and\\na \"line\"\n"
              "# TYPE c counter\n"
              "c{l=\"a \\\\ and\\na \\\"line\\\"\"} 1\n");
}

TEST(MetricsText, WritesNumbersOfAnySize) {
    Metrics metrics;
    Gauge& gauge = metrics.gauge("g", "");
    const auto written = [&](double value) {
        gauge.set(value);
        const std::string text = metrics.prometheus();
        return text.substr(text.rfind("g ") + 2);
    };
    EXPECT_EQ(written(1000000), "1000000\n");
    EXPECT_EQ(written(0), "0\n");
    EXPECT_EQ(written(0.1), "0.1\n");
    EXPECT_EQ(written(1e300), "1e+300\n");
    EXPECT_EQ(written(std::nan("")), "NaN\n");
    EXPECT_EQ(written(std::numeric_limits<double>::infinity()), "+Inf\n");
    EXPECT_EQ(written(-std::numeric_limits<double>::infinity()), "-Inf\n");
}

TEST(ACounter, OnlyGrows) {
    Counter counter;
    counter.add(3);
    counter.add(-2);
    counter.add(std::nan(""));
    EXPECT_EQ(counter.value(), 3);
}

TEST(Metrics, AreKeptApartByNameAndLabels) {
    Metrics metrics;
    EXPECT_EQ(&metrics.counter("c", "help"), &metrics.counter("c", "other help"));
    EXPECT_NE(&metrics.counter("c", "help"), &metrics.counter("c", "help", {{"l", "v"}}));
    EXPECT_THROW(metrics.gauge("c", ""), InvalidArgument);
    EXPECT_THROW(metrics.histogram("c", ""), InvalidArgument);
}

TEST(Metrics, RefuseWhatPrometheusWould) {
    Metrics metrics;
    for (const char* name : {"", "1c", "a-b", "a b", "ä", "a{", "a\n"}) {
        EXPECT_THROW(metrics.counter(name, ""), InvalidArgument) << name;
        EXPECT_THROW(metrics.counter("c", "", {{name, "v"}}), InvalidArgument) << name;
    }
    EXPECT_THROW(metrics.counter("c", "", {{"__name", "v"}}), InvalidArgument);
    EXPECT_THROW(metrics.counter("c", "", {{"l", "v"}, {"l", "w"}}), InvalidArgument);
    EXPECT_THROW(metrics.histogram("h", "", {{"le", "1"}}), InvalidArgument);
    EXPECT_THROW(metrics.histogram("h", "", {}, {1, 1}), InvalidArgument);
    EXPECT_THROW(metrics.histogram("h", "", {}, {2, 1}), InvalidArgument);
}

TEST(Metrics, SayOfWhichVersionTheProcessIs) {
    EXPECT_THAT(Environment::system().metrics.prometheus(),
                testing::ContainsRegex("recount_build_info.version=\"[0-9]+[.][0-9.]+\". 1\n"));
}

TEST(Metrics, HaveNoHistogramWhoseBoundsWereRefused) {
    Metrics metrics;
    EXPECT_THROW(metrics.histogram("seconds", "Help", {}, {3, 1}), InvalidArgument);
    EXPECT_EQ(metrics.prometheus(), "");
    metrics.histogram("seconds", "Help", {}, {1, 3}).observe(2);
    EXPECT_THAT(metrics.prometheus(), testing::HasSubstr("seconds_count 1"));
}

TEST(Metrics, AreCountedByManyThreads) {
    Metrics metrics;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 1000; ++i) {
                    metrics.counter("c", "").add();
                    metrics.histogram("h", "").observe(0.02);
                }
            });
        }
    }
    EXPECT_EQ(metrics.counter("c", "").value(), 4000);
    EXPECT_EQ(metrics.histogram("h", "").count(), 4000U);
    EXPECT_NEAR(metrics.histogram("h", "").sum(), 80, 1e-6);
}

}  // namespace
