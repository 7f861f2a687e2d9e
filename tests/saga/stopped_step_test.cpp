#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orders.hpp"
#include "watched_store.hpp"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

/// A step whose command nobody can carry out: the code that decides it is broken, or its stream is
/// closed.
class AStoppedStep : public WorldWithAlarm {
protected:
    void close(const std::string& account) {
        static_cast<void>(
            store_->close_stream({"account", account}, {}, "settled", Expected::any()));
    }
};

TEST_F(AStoppedStep, StopsItsOwnSagaOnly) {
    Weather::today().throwing.insert("o-1/a");
    Service service{*store_};
    const Ordered broken = order("o-1", {part("a"), part("c")});
    service.place(broken);
    service.place(order("o-2", {part("a"), part("c")}));
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.completed, 1);
    EXPECT_EQ(progress.attention, 1);
    EXPECT_THAT(service.sagas.status("fulfil", "o-1")->attention,
                HasSubstr("step \"a\" cannot be handled: a bug in this decider"));
    EXPECT_EQ(service.sagas.resume("fulfil", "o-1", "deployed no fix"), std::nullopt);
    EXPECT_EQ(service.sagas.catch_up().attention, 1) << "it is told again";
    EXPECT_EQ(alarm(), 1);
    Weather::today().throwing.clear();
    EXPECT_EQ(service.sagas.resume("fulfil", "o-1", "deployed a fix"), std::nullopt);
    EXPECT_EQ(service.sagas.catch_up().completed, 1);
    EXPECT_EQ(alarm(), 0);
    EXPECT_THAT(audit(*store_, {broken, order("o-2", {part("a"), part("c")})}), IsEmpty());
}

TEST_F(AStoppedStep, HoldsNobodyUpWhenItsDeciderSaysThatItMayPass) {
    Weather::today().throwing.insert("o-1/a");
    Weather::today().passes = true;
    Service service{*store_};
    for (const char* id : {"o-1", "o-2"}) service.place(order(id, {part("a")}));
    EXPECT_EQ(service.sagas.catch_up().completed, 1);
    Weather::today().throwing.clear();
    world_.advance(10s);
    EXPECT_EQ(service.sagas.catch_up().completed, 1);
    EXPECT_EQ(alarm(), 0);
}

/// Nor does it when it is the only one with something to send.
TEST_F(AStoppedStep, KeepsNobodysLimitsNorAlarmsBackMeanwhile) {
    Weather::today().throwing = {"o-1/pay", "o-2/b"};
    Weather::today().passes = true;
    Service service{*store_};
    service.place(order("o-1", {part("pay")}));
    Part late = part("b", {"a"});
    late.set_within_ms(300);
    service.place(order("o-2", {part("a"), late}));
    EXPECT_EQ(service.sagas.catch_up().open, 2);
    Weather::today().throwing.insert("plan of o-3");
    service.place(order("o-3", {part("c")}));
    std::int64_t compensated = 0;
    for (int round = 0; round < 5; ++round) {
        world_.advance(10s);
        compensated += service.sagas.catch_up().compensated;
    }
    EXPECT_EQ(compensated, 1);
    EXPECT_EQ(service.sagas.status("fulfil", "o-2")->phase, "compensated");
    EXPECT_EQ(alarm(), 1);
    EXPECT_EQ(service.sagas.list().size(), 2U) << "o-1 waits, o-3 for a person";
    Weather::today().throwing.clear();
    world_.advance(10s);
    EXPECT_EQ(service.sagas.catch_up().completed, 1);
}

/// Appends nothing to one account.
class StoreWithoutAnAccount : public WatchedStore {
public:
    explicit StoreWithoutAnAccount(EventStore& store) : WatchedStore(store, [](int, When) {}) {}
    using EventStore::append;
    std::vector<AppendResult> append(std::span<const Append> group) override {
        for (const Append& append : group) {
            for (const StreamWrite& write : append.writes) {
                if (write.stream.full() == "account-pay") throw Unavailable("it is away");
            }
        }
        return WatchedStore::append(group);
    }
};

TEST_F(AStoppedStep, LosesNoAnswerOfOthersThoughTheStoreDoesNotTakeIt) {
    Weather::today().throwing = {"o-2/b"};
    Weather::today().passes = true;
    StoreWithoutAnAccount store{*store_};
    Service service{store};
    Part late = part("b", {"a"});
    late.set_within_ms(300);
    service.place(order("o-2", {part("a"), late}));
    EXPECT_EQ(service.sagas.catch_up().open, 1);
    service.place(order("o-1", {part("pay")}));
    for (int round = 0; round < 3; ++round) {
        EXPECT_THROW(service.sagas.catch_up(), Unavailable);
        world_.advance(10s);
    }
    EXPECT_EQ(service.sagas.status("fulfil", "o-2")->phase, "undoing");
}

TEST_F(AStoppedStep, WaitsWhileASecondStartCallsAPersonAtOnce) {
    Weather::today().undo_refusals["o-1/a"] = 1;
    Service service{*store_};
    service.place("x", order("o-1", {part("a"), refused(part("b", {"a"}))}));
    EXPECT_EQ(service.sagas.catch_up().open, 1);
    service.place("y", order("o-1", {part("c")}));
    EXPECT_EQ(service.sagas.catch_up().attention, 1);
    EXPECT_EQ(alarm(), 1);
}

TEST_F(AStoppedStep, IsRefusedByAClosedStream) {
    Service service{*store_};
    service.place(order("o-1", {part("a"), part("b", {"a"})}));
    close("b");
    EXPECT_EQ(service.sagas.catch_up().compensated, 1);
    const auto status = service.sagas.status("fulfil", "o-1");
    EXPECT_EQ(status->steps.at(1).refusal.code, "stream_closed");
    EXPECT_THAT(status->steps.at(1).refusal.detail, HasSubstr("account-b"));
    EXPECT_EQ(alarm(), 0);
}

TEST_F(AStoppedStep, OfAnUndoIsLeftToAPersonWhenItsStreamIsClosed) {
    Weather::today().contended["o-1/b"] = 1;
    Service service{*store_};
    service.place(order("o-1", {part("a"), refused(part("b", {"a"}))}));
    EXPECT_EQ(service.sagas.catch_up().open, 1);
    close("a");
    world_.advance(10s);
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.compensated, 0);
    EXPECT_EQ(progress.attention, 1);
    EXPECT_THAT(service.sagas.status("fulfil", "o-1")->attention, HasSubstr("account-a"));
    EXPECT_EQ(alarm(), 1);
}

}  // namespace
}  // namespace recount::saga_test
