#pragma once

#include <recount/eventstore.hpp>
#include <recount/testing.hpp>

#include <gtest/gtest.h>

#include <memory>

#include "orders.hpp"

namespace recount::saga_test {

/// A store in memory under a clock of the test's, fair weather, and the alarm of the saga "fulfil".
class WorldWithAlarm : public testing::Test {
protected:
    WorldWithAlarm() { Weather::today() = {}; }

    /// How many sagas need a person.
    double alarm() { return gauge().value(); }
    void forget_alarm() { gauge().set(0); }

    test::ManualEnvironment world_;
    std::unique_ptr<EventStore> store_ =
        open_store("memory:", {.partitions = 1, .environment = &world_.environment()});

private:
    Gauge& gauge() {
        return world_.metrics().gauge("recount_saga_needs_attention", "", {{"saga", "fulfil"}});
    }
};

}  // namespace recount::saga_test
