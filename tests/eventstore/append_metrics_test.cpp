#include "append_metrics.hpp"

#include <gtest/gtest.h>

#include <recount/core/error.hpp>

namespace recount {
namespace {

TEST(FailedAppends, AreCountedByWhatFailed) {
    Metrics metrics;
    AppendMetrics appends{metrics};
    const auto failures = [&](const char* error) {
        return metrics.counter("recount_append_failures_total", "", {{"error", error}}).value();
    };
    EXPECT_NE(metrics.prometheus().find("error=\"outcome_unknown\"} 0"), std::string::npos)
        << "an alarm needs the series from the beginning";
    appends.failed(Overloaded{"full"});
    appends.failed(Unavailable{"away"});
    appends.failed(Unavailable{"away"});
    appends.failed(OutcomeUnknown{"lost"});
    appends.failed(std::runtime_error{"a mistake"});
    EXPECT_EQ(failures("overloaded"), 1);
    EXPECT_EQ(failures("unavailable"), 2);
    EXPECT_EQ(failures("outcome_unknown"), 1);
    EXPECT_EQ(failures("other"), 1);
}

}  // namespace
}  // namespace recount
