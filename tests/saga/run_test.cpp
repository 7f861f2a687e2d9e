#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/testing.hpp>

#include "orders.hpp"
#include "watched_store.hpp"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace {

using testing::IsEmpty;
using namespace std::chrono_literals;

/// An engine that runs on the test's own thread, until what the test waits for is in the store.
class ARunningEngine : public WorldWithAlarm {
protected:
    using When = WatchedStore::When;

    [[nodiscard]] std::string phase() const {
        const auto status = saga_status(*store_, "fulfil", "o-1");
        return status ? status->phase : "none";
    }
    [[nodiscard]] bool happened(const std::string& account) const {
        return !store_->read_stream(StreamName{"account", account}).events.empty();
    }
    /// Ends with the saga, or after so many calls of the store that it never will.
    void stop_when_completed(int call) {
        if (call > 10'000 || phase() == "completed") stop_.request_stop();
    }

    const Ordered order_ = order("o-1", {part("a"), part("b")});
    std::stop_source stop_;
};

TEST_F(ARunningEngine, WaitsWithAContendedStepOfASagaThatWasStartedAgain) {
    WatchedStore watched{*store_, [&](int call, When) { stop_when_completed(call); }};
    Service service{watched};
    service.place("x", order_);
    service.place("y", order("o-1", {part("a"), part("b"), part("c")}));
    Weather::today().contended["o-1/b"] = 3;
    const SagaEngine::Ended ended = service.sagas.run(stop_.get_token());
    EXPECT_TRUE(ended.asked) << ended.reason;
    EXPECT_EQ(phase(), "completed");
    EXPECT_THAT(audit(*store_, {order_}), IsEmpty());
}

TEST_F(ARunningEngine, WaitsWithAContendedStepOfASagaThatAnotherEngineMoved) {
    Service other{*store_};
    bool moved = false;
    WatchedStore watched{*store_, [&](int call, When) {
                             if (!moved && happened("a")) {
                                 moved = true;
                                 other.sagas.catch_up();
                                 world_.advance(1ms);  // they do not record the same
                             }
                             stop_when_completed(call);
                         }};
    Service service{watched};
    service.place(order_);
    Weather::today().contended["o-1/b"] = 3;
    const SagaEngine::Ended ended = service.sagas.run(stop_.get_token());
    EXPECT_TRUE(moved);
    EXPECT_TRUE(ended.asked) << ended.reason;
    EXPECT_EQ(phase(), "completed");
    EXPECT_THAT(audit(*store_, {order_}, Engines::several), IsEmpty());
}

}  // namespace
}  // namespace recount::saga_test
