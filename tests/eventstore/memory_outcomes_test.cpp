#include "memory_outcomes.hpp"

#include <gtest/gtest.h>

namespace recount {
namespace {

/// Two may look for old outcomes at the same time; before the slower one removes what it found, the
/// faster one has, and the id may stand for something new.
TEST(MemoryOutcomes, ForgetsNothingThatIsNewerThanTheHorizon) {
    MemoryOutcomes outcomes;
    const auto put = [&](const std::string& id, Timestamp at) {
        CommandOutcome outcome;
        outcome.command_id = id;
        outcome.recorded_at = at;
        outcomes.put(id, encode(outcome));
    };
    const Timestamp horizon = parse_timestamp("2026-01-02T00:00:00Z");
    put("order-1", horizon - std::chrono::hours{1});
    put("order-2", horizon);
    outcomes.forget({"order-1", "order-2", "order-3"}, horizon);
    EXPECT_FALSE(outcomes.find("order-1"));
    EXPECT_TRUE(outcomes.find("order-2"));
}

}  // namespace
}  // namespace recount
