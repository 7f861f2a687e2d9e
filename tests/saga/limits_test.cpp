#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/testing.hpp>

#include <limits>

#include "orders.hpp"
#include "watched_store.hpp"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace {

using testing::IsEmpty;
using namespace std::chrono_literals;

/// Takes as long as it takes.
struct Patient : Fulfil {
    static Plan plan(const Ordered& order) {
        Plan plan = Fulfil::plan(order);
        plan.deadline(Duration::max()).retry_undos(5, Duration::max());
        return plan;
    }
};

/// Limits that added to any time there is lie behind the end of time.
class LimitsWithoutEnd : public WorldWithAlarm {
protected:
    LimitsWithoutEnd() {
        const auto account = [](const auto& command) { return command.account(); };
        sagas_.add<Patient>({.from_beginning = true});
        sagas_.deliver<Do>(accounts_, account);
        sagas_.deliver<Undo>(accounts_, account);
        sagas_.deliver<CloseOrder>(accounts_, account);
    }
    void place(const Ordered& order) {
        PlaceOrder command;
        *command.mutable_order() = order;
        static_cast<void>(orders_.handle(order.id(), command));
    }

    WatchedStore watched_{*store_, [](int call, WatchedStore::When) {
                              if (call > 10'000) throw Crash{};  // it would go on for ever
                          }};
    Repository<Order> orders_{watched_};
    Repository<Account> accounts_{watched_};
    SagaEngine sagas_{watched_};
};

TEST_F(LimitsWithoutEnd, NeverPass) {
    Ordered order = saga_test::order("o-1", {part("a"), part("b", {"a"})});
    order.mutable_parts(0)->set_within_ms(std::numeric_limits<std::int64_t>::max() / 1000);
    place(order);
    EXPECT_EQ(sagas_.catch_up().completed, 1);
    EXPECT_EQ(sagas_.status("fulfil", "o-1")->deadline, std::nullopt);
    EXPECT_THAT(audit(*store_, {order}), IsEmpty());
}

TEST_F(LimitsWithoutEnd, CallAPersonForARefusedUndo) {
    Weather::today().undo_refusals["o-1/a"] = 1;
    place(order("o-1", {part("a"), refused(part("b", {"a"}))}));
    EXPECT_EQ(sagas_.catch_up().attention, 1) << "nobody would look at it again";
    EXPECT_EQ(alarm(), 1);
    EXPECT_EQ(sagas_.status("fulfil", "o-1")->steps[0].state, "undo_stuck");
    EXPECT_EQ(sagas_.resume("fulfil", "o-1", "it may be undone now"), std::nullopt);
    EXPECT_EQ(sagas_.catch_up().compensated, 1);
}

TEST(AnEngine, IsNotMadeToDoNothing) {
    const auto store = open_store("memory:");
    EXPECT_THROW((SagaEngine{*store, {.sagas_at_once = 0}}), InvalidArgument);
    EXPECT_THROW((SagaEngine{*store, {.commands_per_commit = 0}}), InvalidArgument);
    EXPECT_THROW((SagaEngine{*store, {.open_sagas = 0}}), InvalidArgument);
}

TEST_F(LimitsWithoutEnd, OfAPauseAreCounted) {
    Weather::today().throwing.insert("o-1/a");
    Weather::today().passes = true;
    Service service{*store_, {.shortest_pause = Duration::max(), .longest_pause = Duration::max()}};
    service.place(order("o-1", {part("a")}));
    for (int time = 0; time < 3; ++time) EXPECT_EQ(service.sagas.catch_up().open, 1);
}

class APause : public WorldWithAlarm {};

TEST_F(APause, IsNotHurriedByAClockThatJumps) {
    Weather::today().undo_refusals["o-1/a"] = 1;
    Ordered order = saga_test::order("o-1", {part("a"), refused(part("b", {"a"}))});
    order.set_undo_attempts(2);
    Service service{*store_};
    service.place(order);
    service.sagas.catch_up();
    world_.set_now(world_.now() + 24h);
    EXPECT_EQ(service.sagas.catch_up().open, 1) << "the pause of 100 ms is not over";
    world_.set_now(world_.now() - 48h);
    world_.advance(101ms);
    EXPECT_EQ(service.sagas.catch_up().compensated, 1);
    EXPECT_THAT(audit(*store_, {order}), IsEmpty());
}

/// The last command happens, and its engine ends before it has recorded so.
class TheLastStepHappened : public WorldWithAlarm {
protected:
    void leave(const Ordered& order) {
        WatchedStore dying{*store_, [&](int, WatchedStore::When) {
                               const StreamName last{"account", "last"};
                               if (!store_->read_stream(last).events.empty()) throw Crash{};
                           }};
        Service service{dying};
        service.place(order);
        EXPECT_THROW(service.sagas.catch_up(), Crash);
    }
};

TEST_F(TheLastStepHappened, LongBeforeAnotherEngineLooks) {
    Ordered order = saga_test::order("o-1", {part("a"), without_undo(part("last", {"a"}))});
    order.set_deadline_ms(600'000);
    leave(order);
    world_.advance(11min);
    Service service{*store_};
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.completed, 1);
    EXPECT_EQ(progress.compensated, 0);
    const auto status = service.sagas.status("fulfil", "o-1");
    EXPECT_EQ(status->phase, "completed");
    EXPECT_EQ(status->failure, "");
    EXPECT_EQ(status->steps[0].state, "accepted");
    EXPECT_THAT(audit(*store_, {order}), IsEmpty());
}

/// A person whose wall clock was set forward resumes a saga. The engine's own clock does not jump.
class ResumedByAClockThatIsAhead : public WorldWithAlarm {
protected:
    void resume() {
        world_.set_now(world_.now() + 24h);
        EXPECT_EQ(service_.sagas.resume("fulfil", "o-1", "deployed a fix"), std::nullopt);
    }
    Service service_{*store_};
};

TEST_F(ResumedByAClockThatIsAhead, ASagaKeepsTheTimeThatItHas) {
    Ordered order = saga_test::order("o-1", {part("a"), part("b", {"a"})});
    order.set_deadline_ms(600'000);
    Weather::today().throwing.insert("o-1/a");
    service_.place(order);
    EXPECT_EQ(service_.sagas.catch_up().attention, 1);
    Weather::today().throwing.clear();
    resume();
    EXPECT_EQ(service_.sagas.catch_up().completed, 1);
    EXPECT_THAT(audit(*store_, {order}), IsEmpty());
}

TEST_F(ResumedByAClockThatIsAhead, ARefusedUndoIsSentAtOnce) {
    Ordered order = saga_test::order("o-1", {part("a"), refused(part("b", {"a"}))});
    order.set_undo_attempts(1);
    Weather::today().undo_refusals["o-1/a"] = 1;
    service_.place(order);
    EXPECT_EQ(service_.sagas.catch_up().attention, 1);
    resume();
    EXPECT_EQ(service_.sagas.catch_up().compensated, 1);
    EXPECT_THAT(audit(*store_, {order}), IsEmpty());
}

}  // namespace
}  // namespace recount::saga_test
