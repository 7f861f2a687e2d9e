#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/testing.hpp>

#include "orders.hpp"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace {

using std::chrono::hours;

/// What comes to a saga once more: a person, or what began it.
class ASagaOfLongAgo : public WorldWithAlarm {};

/// Its undo is refused: it waits, longer each time, and at last for a person.
Ordered stuck(const std::string& id) {
    Weather::today().undo_refusals[id + "/a"] = 1000;
    return order(id, {part("a"), refused(part("b", {"a"}))});
}

TEST_F(ASagaOfLongAgo, HearsAPersonWhileNoMoreMayBeOpen) {
    Service service{*store_, {.open_sagas = 1}};
    std::int64_t called = 0;
    const auto for_days = [&](int days) {
        for (int day = 0; day < days; ++day) {
            called += service.sagas.catch_up().attention;
            world_.advance(hours{24});
        }
    };
    service.place(stuck("o-1"));
    for_days(10);
    ASSERT_EQ(alarm(), 1);
    service.place(stuck("o-2"));
    service.sagas.catch_up();  // it is open now, and nothing more is begun
    ASSERT_FALSE(resume_saga(*store_, "fulfil", "o-1", "somebody"));
    service.sagas.catch_up();
    EXPECT_EQ(alarm(), 0) << "it goes on";
    for_days(20);
    EXPECT_EQ(alarm(), 2);
    EXPECT_EQ(called, 3) << "the log was read on beyond the person, which is no news then";
    Weather::today().undo_refusals.clear();
    for (const char* id : {"o-1", "o-2"}) {
        ASSERT_FALSE(resume_saga(*store_, "fulfil", id, "somebody"));
    }
    EXPECT_EQ(service.sagas.catch_up().compensated, 2);
    EXPECT_EQ(alarm(), 0);
}

/// What came to be of its beginning is forgotten after a while; what began it is not.
TEST_F(ASagaOfLongAgo, IsNotStartedAgainByTheSameContentLongAfter) {
    Service service{*store_};
    const Ordered ordered = order("o-1", {part("a")});
    service.place("order-first", ordered);
    EXPECT_EQ(service.sagas.catch_up().completed, 1);
    world_.advance(hours{24 * 8});
    EXPECT_GT(store_->maintain().outcomes, 0);
    service.place("order-second", ordered);
    EXPECT_EQ(service.sagas.catch_up().attention, 0);
    EXPECT_EQ(alarm(), 0);
    service.place("order-third", order("o-1", {part("b")}));
    EXPECT_EQ(service.sagas.catch_up().attention, 1) << "that is other content";
}

/// As one of another version does, whose declaration has a field between that this one lacks.
std::string written_in_another_order(const Do& command) {
    Do account, effect;
    account.set_account(command.account());
    effect.set_effect(command.effect());
    return effect.SerializeAsString() + account.SerializeAsString();
}

TEST(ACommandOfASaga, IsTheSameToAProgramThatWouldWriteItOtherwise) {
    const auto store = open_store("memory:");
    Repository<Account> accounts{*store};
    Do command;
    command.set_account("a");
    command.set_effect("o-1/a");
    const std::string bytes = written_in_another_order(command);
    ASSERT_NE(bytes, command.SerializeAsString());
    const CommandOptions sent{.command_id = "1", .content = bytes};
    ASSERT_TRUE(accounts.handle("a", command, sent));

    const auto route =
        saga::make_route<Do>(accounts, [](const Do& done) { return done.account(); });
    EXPECT_TRUE(route.handle("a", bytes, {.command_id = "1"}));
    Batch batch{*store};
    route.enqueue(batch, "a", bytes, {.command_id = "1"});
    EXPECT_TRUE(batch.commit().at(0));
    EXPECT_EQ(store->read_stream({"account", "a"}).events.size(), 1U);
    EXPECT_THROW(accounts.handle("a", command, {.command_id = "1"}), CommandReused);
}

}  // namespace
}  // namespace recount::saga_test
