#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/testing.hpp>

#include "orders.hpp"
#include "watched_store.hpp"

namespace recount::saga_test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

/// What a new version of the program would do for new orders.
struct NewFulfil : Fulfil {
    static recount::Plan plan(const Ordered& order) {
        Plan plan;
        Do other;
        other.set_account("new");
        other.set_effect(order.id() + "/new");
        plan.step("new", other);
        return plan;
    }
};

/// A state of another category that decides the same commands.
struct OtherAccount : Account {
    static constexpr std::string_view category = "other";
    using Event = recount::Events<Done, Undone, OrderClosed>;
};
template <class Event>
OtherAccount evolve(OtherAccount account, const Event&) {
    return account;
}
Decision<OtherAccount> decide(const OtherAccount&, const Do& command) {
    Done done;
    done.set_effect(command.effect());
    return done;
}

class AfterACrash : public testing::Test {
protected:
    AfterACrash() { Weather::today() = {}; }

    /// Dies just before the first command is sent, its sending recorded.
    void begin_and_die(const Ordered& order) {
        bool begun = false;
        bool dead = false;
        WatchedStore watched{
            *store_, [&](int, WatchedStore::When when) {
                if (dead) throw Crash{};
                if (!begun || when != WatchedStore::When::before) return;
                dead = Service{*store_}.sagas.status("fulfil", order.id()).has_value();
                if (dead) throw Crash{};
            }};
        Service service{watched};
        service.place(order);
        begun = true;
        EXPECT_THROW(service.sagas.catch_up(), Crash);
        ASSERT_EQ(service_status(order).steps[0].state, "sent");
    }

    SagaStatus service_status(const Ordered& order) {
        return *saga_status(*store_, "fulfil", order.id());
    }
    int done() {
        int count = 0;
        for (const RecordedEvent& event : all_events(*store_))
            count += event.at.type == type_name<Done>() ? 1 : 0;
        return count;
    }

    test::ManualEnvironment world_;
    std::unique_ptr<EventStore> store_ =
        open_store("memory:", {.partitions = 1, .environment = &world_.environment()});
    Repository<Account> accounts_{*store_};
    Repository<OtherAccount> others_{*store_};
};

TEST_F(AfterACrash, NewCodeDoesNotMoveARunningSaga) {
    const Ordered old = order("o-1", {part("a"), part("b", {"a"})});
    begin_and_die(old);
    SagaEngine sagas{*store_};
    sagas.add<NewFulfil>({.from_beginning = true});
    const auto account = [](const auto& command) { return command.account(); };
    sagas.deliver<Do>(accounts_, account);
    sagas.deliver<Undo>(accounts_, account);
    sagas.deliver<CloseOrder>(accounts_, account);
    EXPECT_EQ(sagas.catch_up().completed, 1);
    EXPECT_THAT(audit(*store_, {old}), IsEmpty());
}

TEST_F(AfterACrash, ACommandThatGoesElsewhereNowCallsAPerson) {
    const Ordered old = order("o-1", {part("a")});
    begin_and_die(old);
    SagaEngine sagas{*store_};
    sagas.add<Fulfil>();
    const auto account = [](const auto& command) { return command.account(); };
    sagas.deliver<Do>(others_, account);
    sagas.deliver<Undo>(accounts_, account);
    sagas.deliver<CloseOrder>(accounts_, account);
    EXPECT_EQ(sagas.catch_up().attention, 1);
    EXPECT_THAT(service_status(old).attention, HasSubstr("goes to category other now"));
    EXPECT_EQ(done(), 0);
}

TEST_F(AfterACrash, ACommandForARepositoryOfAnotherStoreCallsAPerson) {
    const auto elsewhere =
        open_store("memory:", {.partitions = 1, .environment = &world_.environment()});
    Repository<Account> far{*elsewhere};
    const Ordered old = order("o-1", {part("a")});
    begin_and_die(old);
    SagaEngine sagas{*store_};
    sagas.add<Fulfil>();
    const auto account = [](const auto& command) { return command.account(); };
    sagas.deliver<Do>(far, account);
    sagas.deliver<Undo>(accounts_, account);
    sagas.deliver<CloseOrder>(accounts_, account);
    EXPECT_EQ(sagas.catch_up().attention, 1);
    EXPECT_THAT(service_status(old).attention, HasSubstr("store"));
    EXPECT_EQ(done(), 0);
    EXPECT_EQ(far.load("a").version.value, 0);
}

struct WithoutDo : Fulfil {
    using Command = recount::Events<Undo, CloseOrder>;
};
TEST_F(AfterACrash, ACommandWithoutARouteNowCallsAPerson) {
    const Ordered old = order("o-1", {part("a")});
    begin_and_die(old);
    SagaEngine sagas{*store_};
    sagas.add<WithoutDo>();
    const auto account = [](const auto& command) { return command.account(); };
    sagas.deliver<Undo>(accounts_, account);
    sagas.deliver<CloseOrder>(accounts_, account);
    EXPECT_EQ(sagas.catch_up().attention, 1);
    EXPECT_THAT(service_status(old).attention, HasSubstr("no route for recount.saga_test.Do"));
}

TEST_F(AfterACrash, AStepWhoseTimeIsOverIsVoidedAndNotSentAgain) {
    Ordered late = order("o-1", {part("a")});
    late.mutable_parts(0)->set_within_ms(1000);
    begin_and_die(late);
    world_.advance(1s);
    Service service{*store_};
    EXPECT_EQ(service.sagas.catch_up().compensated, 1);
    EXPECT_EQ(done(), 0);
    EXPECT_EQ(service_status(late).steps[0].state, "voided");
    EXPECT_THAT(audit(*store_, {late}), IsEmpty());
}

TEST_F(AfterACrash, AStepThatHasTimeIsSentAgain) {
    Ordered late = order("o-1", {part("a")});
    late.mutable_parts(0)->set_within_ms(1000);
    begin_and_die(late);
    world_.advance(999ms);
    Service service{*store_};
    EXPECT_EQ(service.sagas.catch_up().completed, 1);
    EXPECT_THAT(audit(*store_, {late}), IsEmpty());
}

}  // namespace
}  // namespace recount::saga_test
