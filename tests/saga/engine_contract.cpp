#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/saga/command_id.hpp>
#include <recount/saga/state.hpp>

#include "on_a_store.hpp"
#include "support/eventually.hpp"

namespace recount::saga_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Ordered shop_order(const std::string& id) {
    return order(id, {part("reserve/0"), part("reserve/1"), part("charge", {"reserve/*"}),
                      without_undo(part("confirm", {"charge"}))});
}

TEST_P(OnAStore, CompletesAnOrder) {
    Service service{*store_};
    service.place(shop_order("o-1"));
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.begun, 1);
    EXPECT_EQ(progress.completed, 1);
    EXPECT_EQ(progress.commands, 4);
    EXPECT_EQ(progress.open, 0);
    EXPECT_THAT(audit(*store_, {shop_order("o-1")}), IsEmpty());
    EXPECT_EQ(service.sagas.catch_up().begun, 0);
}

TEST_P(OnAStore, UndoesARefusedOrder) {
    Ordered declined = shop_order("o-1");
    declined.mutable_parts(2)->set_refused(true);
    Service service{*store_};
    service.place(declined);
    EXPECT_EQ(service.sagas.catch_up().compensated, 1);
    EXPECT_THAT(audit(*store_, {declined}), IsEmpty());

    const auto status = service.sagas.status("fulfil", "o-1");
    ASSERT_TRUE(status);
    EXPECT_EQ(status->phase, "compensated");
    EXPECT_EQ(status->failure, "step \"charge\" was refused: no (as the test wants it)");
    std::vector<std::string> states;
    for (const StepStatus& step : status->steps) states.push_back(step.name + " " + step.state);
    EXPECT_THAT(states, ElementsAre("reserve/0 undone", "reserve/1 undone", "charge refused",
                                    "confirm left", "when_undone undone"));
    EXPECT_EQ(status->steps[2].refusal.code, "no");
}

TEST_P(OnAStore, CarriesManyOrdersOutTogether) {
    Service service{*store_};
    std::vector<Ordered> orders;
    for (int i = 0; i < 60; ++i) {
        orders.push_back(shop_order("o-" + std::to_string(i)));
        if (i % 3 == 0) orders.back().mutable_parts(i % 4)->set_refused(true);
        service.place(orders.back());
    }
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.begun, 60);
    EXPECT_EQ(progress.completed, 40);
    EXPECT_EQ(progress.compensated, 20);
    EXPECT_THAT(audit(*store_, orders), IsEmpty());
    const auto events = all_events(*store_);
    EXPECT_LT(std::count_if(events.begin(), events.end(),
                            [](const RecordedEvent& event) {
                                return event.at.stream.category() == "sagacursor";
                            }),
              5)
        << "the cursor moves once a round";
}

TEST_P(OnAStore, TellsCommandsWhereTheyComeFrom) {
    const Timestamp long_ago = parse_timestamp("2010-12-01T08:26:00Z");
    Service service{*store_};
    PlaceOrder command;
    *command.mutable_order() = order("o-1", {part("a"), refused(part("b", {"a"}))});
    static_cast<void>(
        service.orders.handle("o-1", command, {.command_id = "p", .occurred_at = long_ago}));
    service.sagas.catch_up();

    std::map<std::string, RecordedEvent> by_id;
    saga::v1::SagaBegun begun;
    for (const RecordedEvent& event : all_events(*store_)) {
        by_id[to_string(event.at.event_id)] = event;
        if (event.at.type == type_name<saga::v1::SagaBegun>())
            begun = parse_as<saga::v1::SagaBegun>(event);
    }
    int effects = 0;
    for (const auto& [id, event] : by_id) {
        if (event.at.stream.category() != "account") continue;
        ++effects;
        EXPECT_EQ(event.at.correlation_id, "saga-fulfil.o-1");
        EXPECT_EQ(event.at.occurred_at, long_ago);
        const RecordedEvent& cause = by_id.at(event.at.causation_id);
        const bool undo = event.at.type != type_name<Done>();
        EXPECT_EQ(cause.at.type,
                  undo ? type_name<saga::v1::UndosSent>() : type_name<saga::v1::StepsSent>());
        EXPECT_LT(cause.at.position, event.at.position) << "recorded before it is sent";
        if (event.at.type == type_name<Undone>()) {
            EXPECT_EQ(event.at.headers.at("undoes"),
                      saga::command_id(begun, "a", saga::Way::forth, 1));
        }
    }
    EXPECT_EQ(effects, 3);
}

TEST_P(OnAStore, StartsAtTheHeadUnlessToldOtherwise) {
    static_cast<void>(store_->append([&] {
        Append append;
        append.metadata.command_id = "early";
        append.writes.push_back(
            {StreamName{"order", "early"}, Expected::any(), {new_event(shop_order("early"))}});
        append.request = request_hash(append);
        return append;
    }()));
    {
        Service service{*store_, {}, {.from_beginning = false}};
        service.place(shop_order("o-1"));
        EXPECT_EQ(service.sagas.catch_up().begun, 1);
    }
    // Recorded at the first registration: what is said later changes nothing.
    Service service{*store_, {}, {.from_beginning = true}};
    EXPECT_EQ(service.sagas.catch_up().begun, 0);
    EXPECT_FALSE(service.sagas.status("fulfil", "early"));
    EXPECT_TRUE(service.sagas.status("fulfil", "o-1"));
}

TEST_P(OnAStore, FindsWhatStartedBetweenAddingAndRunning) {
    { Service registered{*store_, {}, {.from_beginning = false}}; }
    Service service{*store_, {}, {.from_beginning = false}};
    service.place(shop_order("o-1"));
    EXPECT_EQ(service.sagas.catch_up().completed, 1);
}

TEST_P(OnAStore, RefusesToStartWithoutARoute) {
    SagaEngine sagas{*store_};
    sagas.add<Fulfil>();
    try {
        sagas.catch_up();
        FAIL() << "it started";
    } catch (const InvalidArgument& refused) {
        EXPECT_THAT(refused.what(), HasSubstr("recount.saga_test.Do (of saga fulfil)"));
        EXPECT_THAT(refused.what(), HasSubstr("recount.saga_test.CloseOrder"));
    }
    const SagaEngine::Ended ended = sagas.run({});
    EXPECT_FALSE(ended.asked);
    EXPECT_THAT(ended.reason, HasSubstr("no route"));
}

struct Nameless : Fulfil {
    static constexpr std::string_view name = "not.a.name";
};
TEST_P(OnAStore, RefusesABadOrASecondName) {
    SagaEngine sagas{*store_};
    sagas.add<Fulfil>();
    EXPECT_THROW(sagas.add<Fulfil>(), InvalidArgument);
    EXPECT_THROW(sagas.add<Nameless>(), InvalidArgument);
}

/// Another saga that the same events start.
struct Audit : Fulfil {
    static constexpr std::string_view name = "audit";
    static recount::Plan plan(const Ordered& order) {
        Plan plan;
        Do note;
        note.set_account("auditor");
        note.set_effect(order.id() + "/audited");
        plan.step("note", note);
        return plan;
    }
};
TEST_P(OnAStore, CarriesOutSeveralKindsFromTheirOwnStarts) {
    Service service{*store_};
    service.place(shop_order("o-1"));
    service.sagas.catch_up();
    service.sagas.add<Audit>({.from_beginning = true});
    service.place(shop_order("o-2"));
    EXPECT_EQ(service.sagas.catch_up().completed, 3);
    EXPECT_THAT(audit(*store_, {shop_order("o-1"), shop_order("o-2")}), IsEmpty());
    EXPECT_EQ(service.sagas.status("audit", "o-1")->phase, "completed");
}

/// Of things that happened long before they are told.
struct Backdated : Fulfil {
    static constexpr std::string_view name = "backdated";
    static Timestamp then() { return parse_timestamp("2001-02-03T04:05:06Z"); }
    static recount::Plan plan(const Ordered& order) {
        return Fulfil::plan(order).occurred_at(then());
    }
};
TEST_P(OnAStore, LetsAPlanSayWhenItHappened) {
    Service service{*store_};
    service.sagas.add<Backdated>({.from_beginning = true});
    service.place(order("o-1", {part("a"), refused(part("b", {"a"}))}));
    EXPECT_EQ(service.sagas.catch_up().compensated, 2);
    EXPECT_EQ(service.sagas.status("backdated", "o-1")->occurred_at, Backdated::then());
    EXPECT_EQ(service.sagas.status("fulfil", "o-1")->occurred_at, world_.now());
    int effects = 0;
    for (const RecordedEvent& event : all_events(*store_)) {
        if (event.at.stream.category() != Account::category) continue;
        const bool backdated = event.at.correlation_id == "saga-backdated.o-1";
        EXPECT_EQ(event.at.occurred_at, backdated ? Backdated::then() : world_.now());
        effects += backdated ? 1 : 0;
    }
    EXPECT_EQ(effects, 3) << "done, undone, and the order closed";
}

TEST_P(OnAStore, RunsUntilAskedToStop) {
    store_.reset();
    const auto store = open_store(url(), {.partitions = 1});
    Service service{*store};
    std::stop_source stop;
    SagaEngine::Ended ended;
    auto task = store->environment().scheduler.spawn(
        "sagas", [&](std::stop_token) { ended = service.sagas.run(stop.get_token()); });
    service.place(shop_order("o-1"));
    EXPECT_TRUE(test::eventually([&] {
        const auto status = service.sagas.status("fulfil", "o-1");
        return status && status->phase == "completed";
    }));
    stop.request_stop();
    task->join();
    EXPECT_TRUE(ended.asked) << ended.reason;
    EXPECT_THAT(audit(*store, {shop_order("o-1")}), IsEmpty());
}

TEST_P(OnAStore, BeginsNoMoreThanItMayHaveOpen) {
    Service service{*store_, {.sagas_at_once = 2, .commands_per_commit = 3, .open_sagas = 4}};
    std::vector<Ordered> orders;
    for (int i = 0; i < 15; ++i) {
        orders.push_back(shop_order("o-" + std::to_string(i)));
        service.place(orders.back());
    }
    EXPECT_EQ(service.sagas.catch_up().completed, 15);
    EXPECT_THAT(audit(*store_, orders), IsEmpty());
}

}  // namespace
INSTANTIATE_TEST_SUITE_P(Engine, OnAStore, testing::ValuesIn(kinds_of_stores()),
                         [](const auto& kind) { return std::string{kind.param}; });

}  // namespace recount::saga_test
