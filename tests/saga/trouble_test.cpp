#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/saga/command_id.hpp>
#include <recount/saga/state.hpp>
#include <recount/testing.hpp>

#include "orders.hpp"
#include "watched_store.hpp"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

class InTrouble : public WorldWithAlarm {
protected:
    /// What the ids of a saga follow from that begins at this moment.
    saga::v1::SagaBegun begins_now(const std::string& id) {
        saga::v1::SagaBegun begun;
        begun.set_name("fulfil");
        begun.set_id(id);
        begun.set_started_at_us(world_.environment().clock.now().time_since_epoch().count());
        begun.set_command_ids(saga::rule_of_new_sagas);
        return begun;
    }
};

Ordered failing(const std::string& id) { return order(id, {part("a"), refused(part("b", {"a"}))}); }

TEST_F(InTrouble, TriesARefusedUndoAgainAfterAPause) {
    Weather::today().undo_refusals["o-1/a"] = 3;
    Service service{*store_};
    service.place(failing("o-1"));
    EXPECT_EQ(service.sagas.catch_up().open, 1);
    for (int i = 0; i < 3; ++i) {
        EXPECT_NE(service.sagas.status("fulfil", "o-1")->phase, "compensated");
        world_.advance(2s);
        service.sagas.catch_up();
    }
    EXPECT_THAT(audit(*store_, {failing("o-1")}), IsEmpty());
    EXPECT_EQ(service.sagas.status("fulfil", "o-1")->steps[0].attempt, 4U);
}

TEST_F(InTrouble, RaisesAnAlarmThatOutlivesTheEngineUntilSomebodyResumes) {
    Weather::today().undo_refusals["o-1/a"] = 7;
    const Ordered order = failing("o-1");
    {
        Service service{*store_};
        service.place(order);
        for (int i = 0; i < 8; ++i) {
            service.sagas.catch_up();
            world_.advance(10s);
        }
        const auto status = service.sagas.status("fulfil", "o-1");
        EXPECT_EQ(status->phase, "undoing");
        EXPECT_TRUE(status->halted);
        EXPECT_THAT(status->attention, HasSubstr("undo of step \"a\" was refused 5 times"));
        EXPECT_EQ(alarm(), 1);
    }
    world_.metrics().gauge("recount_saga_needs_attention", "", {{"saga", "fulfil"}}).set(0);
    Service service{*store_};
    EXPECT_EQ(service.sagas.catch_up().attention, 0) << "an old one";
    EXPECT_EQ(alarm(), 1);
    ASSERT_EQ(service.sagas.list().size(), 1U);
    EXPECT_THAT(service.sagas.list()[0].attention, HasSubstr("refused 5 times"));

    EXPECT_EQ(service.sagas.resume("fulfil", "o-1", "an operator: stock was counted"),
              std::nullopt);
    for (int i = 0; i < 4; ++i) {
        service.sagas.catch_up();
        world_.advance(10s);
    }
    EXPECT_EQ(alarm(), 0);
    EXPECT_THAT(service.sagas.list(), IsEmpty());
    EXPECT_THAT(audit(*store_, {order}), IsEmpty());
    EXPECT_EQ(service.sagas.resume("fulfil", "o-1", "again")->code, "waits_for_nobody");
    EXPECT_THROW(service.sagas.resume("fulfil", "o-99", "x"), InvalidArgument);
}

TEST_F(InTrouble, KeepsARefusedPlanForAPerson) {
    Service service{*store_};
    service.place(order("o-1", {part("a", {"b"})}));
    service.place(order("o-2", {}));
    service.place(order("o-3", {part("a")}));
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.attention, 2);
    EXPECT_EQ(progress.completed, 1);
    EXPECT_EQ(alarm(), 2);
    EXPECT_THAT(service.sagas.status("fulfil", "o-1")->attention,
                HasSubstr("no step is called so"));
    EXPECT_THAT(service.sagas.status("fulfil", "o-2")->attention, HasSubstr("no steps"));
    EXPECT_EQ(service.sagas.resume("fulfil", "o-1", "x")->code, "plan_refused");
}

TEST_F(InTrouble, NeverLosesAStartWithoutAUsableId) {
    Service service{*store_};
    service.place("nameless", order("", {part("a")}));
    service.place("endless", order(std::string(300, 'x'), {part("a")}));
    EXPECT_EQ(service.sagas.catch_up().attention, 2);
    ASSERT_EQ(service.sagas.list().size(), 2U);
    for (const SagaListing& one : service.sagas.list()) {
        EXPECT_TRUE(one.id.starts_with("event-"));
        EXPECT_THAT(one.attention, HasSubstr("no usable id"));
    }
}

TEST_F(InTrouble, AsksAPersonAboutASecondStartWithOtherContent) {
    Service service{*store_};
    service.place("x", order("o-1", {part("a")}));
    service.place("y", order("o-1", {part("a")}));
    SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.attention, 0) << "the same again is no news";
    EXPECT_EQ(progress.completed, 1);
    service.place("z", order("o-1", {part("a"), part("b")}));
    progress = service.sagas.catch_up();
    EXPECT_EQ(progress.attention, 1);
    EXPECT_EQ(progress.completed, 0) << "it was counted";
    const auto status = service.sagas.status("fulfil", "o-1");
    EXPECT_EQ(status->phase, "completed");
    EXPECT_THAT(status->attention, HasSubstr("started again with other content"));
    EXPECT_EQ(alarm(), 1);
    EXPECT_THAT(audit(*store_, {order("o-1", {part("a")})}), IsEmpty());
    EXPECT_EQ(service.sagas.resume("fulfil", "o-1", "seen"), std::nullopt);
    EXPECT_EQ(service.sagas.catch_up().completed, 0);
    EXPECT_EQ(alarm(), 0);
    EXPECT_EQ(
        world_.metrics()
            .counter("recount_saga_ended_total", "", {{"saga", "fulfil"}, {"how", "completed"}})
            .value(),
        1);
}

TEST_F(InTrouble, TellsOfASecondStartWithoutForgettingWhatHaltedTheSaga) {
    Weather::today().throwing.insert("o-1/a");
    Weather::today().bug = "a bug " + std::string(3000, 'x');
    Service service{*store_};
    service.place("x", order("o-1", {part("a")}));
    EXPECT_EQ(service.sagas.catch_up().attention, 1);
    for (const char* again : {"y", "z"}) {
        service.place(again, order("o-1", {part("a"), part(again)}));
        EXPECT_EQ(service.sagas.catch_up().attention, 1);
    }
    const auto status = service.sagas.status("fulfil", "o-1");
    EXPECT_TRUE(status->halted);
    EXPECT_THAT(status->attention, HasSubstr("step \"a\" cannot be handled: a bug x"));
    EXPECT_THAT(status->attention, HasSubstr("started again with other content"));
    ASSERT_EQ(service.sagas.list().size(), 1U);
    EXPECT_EQ(service.sagas.list()[0].attention, status->attention);
}

TEST_F(InTrouble, TellsWhatHaltsASagaWithoutForgettingASecondStart) {
    Weather::today().undo_refusals["o-1/a"] = 9;
    Service service{*store_};
    Ordered first = failing("o-1");
    first.set_undo_attempts(2);
    service.place("x", first);
    service.sagas.catch_up();
    service.place("z", order("o-1", {part("a")}));
    service.sagas.catch_up();
    world_.advance(1s);
    service.sagas.catch_up();
    const auto status = service.sagas.status("fulfil", "o-1");
    EXPECT_TRUE(status->halted);
    EXPECT_THAT(status->attention, HasSubstr("started again with other content"));
    EXPECT_THAT(status->attention, HasSubstr("refused 2 times"));
}

TEST_F(InTrouble, TakesAnythingThatSomebodysCodeThrows) {
    Weather::today().bug = "";
    Weather::today().throwing = {"decider/a", "plan of plan", "id of id"};
    Service service{*store_};
    for (const char* id : {"decider", "plan", "id", "healthy"})
        service.place(order(id, {part("a")}));
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.completed, 1);
    EXPECT_EQ(progress.attention, 3);
    for (const SagaListing& one : service.sagas.list())
        EXPECT_THAT(one.attention, HasSubstr("what was thrown is no std::exception"));
}

TEST_F(InTrouble, RecordsAnErrorWhoseTextIsNoUtf8) {
    Weather::today().bug = "caf\xe9 \xff " + std::string(100'000, 'x');
    Weather::today().throwing = {"decider/a", "plan of plan", "id of id", "step of name"};
    Service service{*store_};
    for (const char* id : {"decider", "plan", "id", "name", "healthy"})
        service.place(order(id, {part("a")}));
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.completed, 1);
    EXPECT_EQ(progress.attention, 4);
    for (const char* id : {"decider", "plan"}) {
        const std::string attention = service.sagas.status("fulfil", id)->attention;
        EXPECT_THAT(attention, HasSubstr("caf? ? xxx"));
        EXPECT_LT(attention.size(), 3000U);
    }
    EXPECT_EQ(service.sagas.list().size(), 4U);
}

TEST_F(InTrouble, AsksAPersonWhenAStepsCommandIdWasUsedForSomethingElse) {
    Service service{*store_};
    service.place(order("o-1", {part("a")}));
    Do other;
    other.set_effect("something else");
    static_cast<void>(service.accounts.handle(
        "a", other, {.command_id = saga::command_id(begins_now("o-1"), "a", saga::Way::forth, 1)}));
    EXPECT_EQ(service.sagas.catch_up().attention, 1);
    EXPECT_THAT(service.sagas.status("fulfil", "o-1")->attention, HasSubstr("cannot be handled"));
}

TEST_F(InTrouble, CompensatesWhenSomebodyVoidedAStep) {
    const Ordered order = saga_test::order("o-1", {part("a"), part("b", {"a"})});
    store_->void_command(saga::command_id(begins_now("o-1"), "b", saga::Way::forth, 1));
    Service service{*store_};
    service.place(order);
    EXPECT_EQ(service.sagas.catch_up().compensated, 1);
    EXPECT_THAT(audit(*store_, {order}), IsEmpty());
}

TEST_F(InTrouble, BeginsNoMoreThanMayBeOpen) {
    Service service{*store_, {.sagas_at_once = 2, .open_sagas = 4}};
    std::vector<Ordered> orders;
    for (int i = 0; i < 40; ++i) {
        orders.push_back(failing("o-" + std::to_string(i)));
        Weather::today().undo_refusals["o-" + std::to_string(i) + "/a"] = 1;
        service.place(orders.back());
    }
    EXPECT_LE(service.sagas.catch_up().open, 4 + 4 * 2) << "and a page of the log";
    for (int i = 0; i < 20; ++i) {
        world_.advance(1s);
        service.sagas.catch_up();
    }
    EXPECT_THAT(audit(*store_, orders), IsEmpty());
}

TEST_F(InTrouble, LetsOthersHaveTheirTurnWhenAllCommandsOfACommitAreContended) {
    Service service{*store_, {.commands_per_commit = 2}};
    std::vector<Ordered> orders;
    for (int i = 0; i < 20; ++i) {
        const std::string id = "o-" + std::to_string(i + 10);
        if (i < 18) Weather::today().contended[id + "/a"] = 1;
        orders.push_back(order(id, {part("a")}));
        service.place(orders.back());
    }
    EXPECT_EQ(service.sagas.catch_up().completed, 2);
    world_.advance(10s);
    EXPECT_EQ(service.sagas.catch_up().completed, 18);
    EXPECT_THAT(audit(*store_, orders), IsEmpty());
}

TEST_F(InTrouble, LetsAContendedStreamHoldUpItsOwnSagaOnly) {
    int storm = 0;
    int writes = 0;
    WatchedStore watched{*store_, [&](int, WatchedStore::When when) {
                             if (writes >= storm || when != WatchedStore::When::before) return;
                             Done done;  // somebody else is always faster
                             done.set_effect("other");
                             Append append;
                             append.metadata.command_id = "storm-" + std::to_string(++writes);
                             append.writes.push_back(
                                 {StreamName{"account", "a"}, Expected::any(), {new_event(done)}});
                             append.request = request_hash(append);
                             static_cast<void>(store_->append(append));
                         }};
    Service service{watched};
    const std::vector<Ordered> orders{order("o-1", {part("a")}), order("o-2", {part("b")})};
    for (const Ordered& order : orders) service.place(order);
    storm = 40;
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(writes, 40);
    EXPECT_GE(progress.completed, 1);
    world_.advance(10s);
    service.sagas.catch_up();
    EXPECT_THAT(audit(*store_, orders), IsEmpty());
}

}  // namespace
}  // namespace recount::saga_test
