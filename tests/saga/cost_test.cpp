#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "orders.hpp"
#include "watched_store.hpp"

namespace recount::saga_test {
namespace {

constexpr int many = 1114;  // the longest order of the sample's data

/// Orders of so many steps each, with as many steps in all.
std::vector<Ordered> orders_of(int steps, bool chained, bool fails) {
    std::vector<Ordered> orders;
    for (int done = 0; done < many; done += steps) {
        std::vector<Part> parts;
        for (int i = 0; i < steps; ++i) {
            parts.push_back(part("s/" + std::to_string(i)));
            parts.back().set_account("account-" + std::to_string(i % 3));
            if (chained && i > 0) parts.back().add_after("s/" + std::to_string(i - 1));
        }
        if (!chained) {
            parts.push_back(part("last", {"s/*"}));
            parts.back().set_refused(fails);
        }
        orders.push_back(order("o-" + std::to_string(done), std::move(parts)));
    }
    return orders;
}

struct Cost {
    double microseconds = 0;  // a step
    double bytes = 0;         // a step, of the saga's own events
    double calls = 0;         // to the store, a step
};

Cost cost_of(const char* what, int steps, bool chained, bool fails = false) {
    Weather::today() = {};
    const auto store = open_store("memory:", {.partitions = 1});
    const std::vector<Ordered> orders = orders_of(steps, chained, fails);
    WatchedStore watched{*store, [](int, WatchedStore::When) {}};
    Service service{watched};
    for (const Ordered& order : orders) service.place(order);
    const int calls = watched.calls();
    const auto begin = store->environment().clock.steady();
    service.sagas.catch_up();
    const auto passed = store->environment().clock.steady() - begin;
    EXPECT_THAT(audit(*store, orders), testing::IsEmpty());

    Cost cost;
    for (const RecordedEvent& event : all_events(*store))
        if (event.at.stream.category() == "saga")
            cost.bytes += static_cast<double>(event.payload->size()) / many;
    cost.microseconds =
        std::chrono::duration<double, std::micro>(passed).count() / static_cast<double>(many);
    cost.calls = static_cast<double>(watched.calls() - calls) / many;
    std::printf("%-34s %8.1f us/step %8.1f bytes/step %8.3f calls/step\n", what, cost.microseconds,
                cost.bytes, cost.calls);
    return cost;
}

TEST(TheCostOfAStep, DoesNotGrowWithThePlan) {
    cost_of("warming up", 3, false);
    const Cost small = cost_of("372 plans of 3 steps", 3, false);
    const Cost large = cost_of("one plan of 1114 steps", many, false);
    EXPECT_LT(large.bytes, small.bytes);
    EXPECT_LT(large.calls, small.calls * 1.1);
}

TEST(TheCostOfAStep, DoesNotGrowWhenAllIsUndone) {
    const Cost small = cost_of("372 plans of 3, undone", 3, false, true);
    const Cost large = cost_of("one plan of 1114, undone", many, false, true);
    EXPECT_LT(large.bytes, small.bytes);
    EXPECT_LT(large.calls, small.calls * 1.1);
}

TEST(TheCostOfAStep, DoesNotGrowInAChain) {
    const Cost small = cost_of("372 chains of 3", 3, true);
    const Cost large = cost_of("one chain of 1114", many, true);
    EXPECT_LT(large.bytes, small.bytes * 1.1);
    EXPECT_LT(large.calls, 6) << "each waits for the one before it";
    (void)small;
}

}  // namespace
}  // namespace recount::saga_test
