#include <gtest/gtest.h>

#include <recount/testing.hpp>

#include "orders.hpp"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace {

using std::chrono::hours;

/// What comes to a saga once more: a person, or what began it.
class ASagaOfLongAgo : public WorldWithAlarm {};

/// Who resumes is heard though the log is not read, once.
TEST_F(ASagaOfLongAgo, HearsAPersonWhileNoMoreMayBeOpen) {
    Service service{*store_, {.open_sagas = 1}};
    const Ordered stuck = order("o-1", {part("a"), refused(part("b", {"a"}))});
    Weather::today().undo_refusals["o-1/a"] = 1000;
    service.place(stuck);
    for (int i = 0; i < 10; ++i) {
        service.sagas.catch_up();
        world_.advance(hours{24});
    }
    ASSERT_EQ(alarm(), 1);
    service.place(order("o-2", {part("a")}));
    Weather::today().undo_refusals.clear();
    resume_saga(*store_, "fulfil", "o-1", "somebody");
    const SagaProgress done = service.sagas.catch_up();
    EXPECT_EQ(done.compensated, 1);
    EXPECT_EQ(done.completed + service.sagas.catch_up().completed, 1) << "there is room now";
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

}  // namespace
}  // namespace recount::saga_test
