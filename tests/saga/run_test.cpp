#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/testing.hpp>

#include "orders.hpp"
#include "recount/saga.pb.h"
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
    void stop_when_ended(int call) {
        if (call > 10'000 || phase() == "completed" || phase() == "compensated")
            stop_.request_stop();
    }

    const Ordered order_ = order("o-1", {part("a"), part("b")});
    std::stop_source stop_;
};

TEST_F(ARunningEngine, WaitsWithAContendedStepOfASagaThatWasStartedAgain) {
    WatchedStore watched{*store_, [&](int call, When) { stop_when_ended(call); }};
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
                             stop_when_ended(call);
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

TEST_F(ARunningEngine, WaitsWithASagaThatAnotherEngineCarriedOnToAnUndoThatIsNotDue) {
    const Ordered failing = order("o-1", {part("a"), refused(part("b", {"a"}))});
    Weather::today().contended["o-1/a"] = 1;
    Weather::today().undo_refusals["o-1/a"] = 1;
    Service other{*store_};
    bool moved = false;
    WatchedStore watched{*store_, [&](int call, When) {
                             if (!moved && Weather::today().contended["o-1/a"] == 0) {
                                 moved = true;
                                 EXPECT_EQ(other.sagas.catch_up().open, 1);
                                 EXPECT_EQ(phase(), "undoing");
                             }
                             stop_when_ended(call);
                         }};
    Service service{watched};
    service.place(failing);
    const SagaEngine::Ended ended = service.sagas.run(stop_.get_token());
    EXPECT_TRUE(moved);
    EXPECT_TRUE(ended.asked) << ended.reason;
    EXPECT_EQ(phase(), "compensated") << "no time passes for an engine that does not wait";
    EXPECT_LT(watched.calls(), 1000);
    EXPECT_THAT(audit(*store_, {failing}, Engines::several), IsEmpty());
}

TEST_F(ARunningEngine, SaysWhyItEndedWhateverWasThrown) {
    WatchedStore watched{*store_, [&](int call, When) {
                             if (call > 10) throw Crash{};
                         }};
    Service service{watched};
    service.place(order_);
    const SagaEngine::Ended ended = service.sagas.run(stop_.get_token());
    EXPECT_FALSE(ended.asked);
    EXPECT_EQ(ended.reason, "what was thrown is no std::exception");
}

/// A log in which for long nothing starts a saga.
class ALongLog : public ARunningEngine {
protected:
    ALongLog() {
        Service writer{*store_};
        for (int i = 0; i < events; ++i) static_cast<void>(writer.accounts.handle("a", Do{}));
    }
    /// What engines have recorded of where they are.
    [[nodiscard]] std::vector<std::int64_t> cursors() const {
        std::vector<std::int64_t> found;
        const auto page = store_->read_stream(StreamName{"sagacursor", "fulfil"});
        for (const RecordedEvent& event : page.events)
            found.push_back(parse_as<saga::v1::CursorMoved>(event).positions(0));
        return found;
    }

    static constexpr int events = 1000;
    const SagaEngineOptions options_{.sagas_at_once = 1, .cursor_every = 100};
};

TEST_F(ALongLog, IsNotReadFromTheBeginningAgain) {
    Service service{*store_, options_};
    service.sagas.catch_up();
    const std::vector<std::int64_t> recorded = cursors();
    ASSERT_GE(recorded.size(), 1U + events / 100);
    for (std::size_t i = 1; i < recorded.size(); ++i)
        EXPECT_LE(recorded[i] - recorded[i - 1], 104) << "and a page";
}

TEST_F(ALongLog, KeepsNobodyWaitingWhoAsksToStop) {
    constexpr int asked_at = 20;
    WatchedStore watched{*store_, [&](int call, When) {
                             if (call == asked_at) stop_.request_stop();
                         }};
    Service service{watched, options_};
    EXPECT_TRUE(service.sagas.run(stop_.get_token()).asked);
    EXPECT_LE(watched.calls(), asked_at + 2);
    EXPECT_GT(cursors().back(), 40) << "what was read is not read again";
}

}  // namespace
}  // namespace recount::saga_test
