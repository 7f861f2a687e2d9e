#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/testing.hpp>

#include "orders.hpp"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace newer {

/// An account as a newer program knows it.
struct Account {
    static constexpr std::string_view category = "account";
    using Event = recount::Events<Done, Undone, OrderClosed, UndoTried>;
};
template <class Message>
Account evolve(Account account, const Message&) {
    return account;
}
recount::Decision<Account> decide(const Account&, const Do& command) {
    Done done;
    done.set_effect(command.effect());
    return done;
}
recount::Decision<Account> decide(const Account&, const Undo& command) {
    Undone undone;
    undone.set_effect(command.effect());
    return undone;
}
recount::Decision<Account> decide(const Account&, const CloseOrder& command) {
    OrderClosed closed;
    closed.set_effect(command.effect());
    return closed;
}

struct Program {
    explicit Program(EventStore& store) : accounts{store}, sagas{store} {
        sagas.add<Fulfil>({.from_beginning = true});
        sagas.deliver<Do>(accounts, [](const Do& command) { return command.account(); });
        sagas.deliver<Undo>(accounts, [](const Undo& command) { return command.account(); });
        sagas.deliver<CloseOrder>(accounts,
                                  [](const CloseOrder& command) { return command.account(); });
    }
    Repository<Account> accounts;
    SagaEngine sagas;
};

}  // namespace newer

namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

/// Account "a" holds an event that only the newer program's State lists.
class AnOlderProgram : public WorldWithAlarm {
protected:
    AnOlderProgram() {
        UndoTried tried;
        tried.set_effect("another");
        Append append;
        append.metadata.command_id = "newer";
        append.writes.push_back({StreamName{"account", "a"}, Expected::any(), {new_event(tried)}});
        append.request = request_hash(append);
        static_cast<void>(store_->append(append));
        older_.place(order_);
    }

    double left_to_newer() {
        return world_.metrics()
            .counter("recount_saga_left_to_newer_total",
                     "Commands left to a newer program, which knows the events of their stream",
                     {{"saga", "fulfil"}})
            .value();
    }

    const Ordered order_ = order("o-1", {part("a"), part("b", {"a"})});
    Service older_{*store_};
};

TEST_F(AnOlderProgram, LeavesWhatItCannotReadToTheNewerOneBesideIt) {
    older_.sagas.catch_up();
    EXPECT_EQ(alarm(), 0);
    EXPECT_EQ(saga_status(*store_, "fulfil", "o-1")->attention, "");
    newer::Program program{*store_};
    EXPECT_EQ(program.sagas.catch_up().completed, 1);
    const double tries = left_to_newer();
    EXPECT_GT(tries, 0);
    for (int i = 0; i < 8; ++i) {
        world_.advance(1min);
        EXPECT_EQ(older_.sagas.catch_up().commands, 0);
    }
    EXPECT_EQ(alarm(), 0);
    EXPECT_EQ(left_to_newer(), tries) << "what became of it is read before it is tried again";
    EXPECT_THAT(audit(*store_, {order_}, Engines::several), IsEmpty());
}

TEST_F(AnOlderProgram, GoesOnWithItsOtherSagasAndStepsMeanwhile) {
    const Ordered other = order("o-2", {part("b"), part("c", {"b"})});
    older_.place(other);
    EXPECT_EQ(older_.sagas.catch_up().completed, 1);
    const Ordered both = order("o-3", {part("a"), part("b")});
    older_.place(both);
    EXPECT_EQ(older_.sagas.catch_up().commands, 1);
}

TEST_F(AnOlderProgram, AsksAPersonWhenThereIsNoNewerOne) {
    older_.sagas.catch_up();
    for (int i = 0; i < 4; ++i) {
        world_.advance(1min);
        older_.sagas.catch_up();
        EXPECT_EQ(alarm(), 0);
    }
    world_.advance(1min);
    older_.sagas.catch_up();
    EXPECT_EQ(alarm(), 1);
    EXPECT_THAT(saga_status(*store_, "fulfil", "o-1")->attention, HasSubstr("UndoTried"));
}

TEST_F(AnOlderProgram, StillEndsInTimeWhatHasALimit) {
    Ordered limited = order("o-4", {part("a")});
    limited.set_deadline_ms(60'000);
    older_.place(limited);
    older_.sagas.catch_up();
    world_.advance(2min);
    older_.sagas.catch_up();
    EXPECT_EQ(saga_status(*store_, "fulfil", "o-4")->phase, "compensated");
}

}  // namespace
}  // namespace recount::saga_test
