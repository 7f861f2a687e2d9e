#include <gtest/gtest-spi.h>

#include <recount/saga/testing.hpp>

#include "orders.hpp"

namespace recount::saga_test {
namespace {

using namespace recount::test;

const Ordered shop_order =
    order("o-1", {part("reserve/0"), part("reserve/1"), part("charge", {"reserve/*"}),
                  without_undo(part("confirm", {"charge"}))});

Ordered with_limits() {
    Ordered limited = shop_order;
    limited.mutable_parts(2)->set_within_ms(30'000);
    limited.set_deadline_ms(600'000);
    return limited;
}

TEST(AnOrderWithoutTrouble, Completes) {
    given<Fulfil>(shop_order)
        .then_sent("reserve/0", "reserve/1", "charge", "confirm")
        .then_before("reserve/0", "charge")
        .then_before("reserve/1", "charge")
        .then_before("charge", "confirm")
        .then_undone()
        .then_ends(completed);
}

TEST(ADeclinedCard, ReleasesTheStock) {
    given<Fulfil>(shop_order)
        .refused("charge")
        .then_sent("reserve/0", "reserve/1", "charge")
        .then_undone("reserve/0", "reserve/1")
        .then_ends(compensated);
}

TEST(ARefusedConfirmation, UndoesInReverse) {
    given<Fulfil>(shop_order)
        .refused("confirm")
        .then_undone("charge", "reserve/0", "reserve/1")
        .then_undone_before("charge", "reserve/0")
        .then_undone_before("charge", "reserve/1")
        .then_ends(compensated);
}

TEST(AStepThatWasSoAlready, IsDoneAndNotUndone) {
    given<Fulfil>(shop_order)
        .nothing("reserve/0")
        .refused("charge")
        .then_undone("reserve/1")
        .then_ends(compensated);
}

TEST(AnUnansweredStep, IsVoidedAtItsLimit) {
    given<Fulfil>(with_limits())
        .unanswered("charge")
        .then_undone("reserve/0", "reserve/1")
        .then_ends(compensated);
}

TEST(AStepThatSucceededLate, IsUndone) {
    given<Fulfil>(with_limits())
        .answered_late("charge")
        .then_undone("charge", "reserve/0", "reserve/1")
        .then_undone_before("charge", "reserve/0")
        .then_ends(compensated);
}

TEST(TheDeadline, UndoesWhatWasDone) {
    given<Fulfil>(with_limits())
        .unanswered("reserve/1")
        .then_sent("reserve/0", "reserve/1")
        .then_undone("reserve/0")
        .then_ends(compensated);
}

TEST(ARefusedUndo, IsTriedAgain) {
    given<Fulfil>(shop_order)
        .refused("charge")
        .undo_refused("reserve/0", 4)
        .then_undone("reserve/0", "reserve/1")
        .then_ends(compensated);
}

TEST(AnUndoThatIsAlwaysRefused, CallsAPerson) {
    given<Fulfil>(shop_order)
        .refused("charge")
        .undo_refused("reserve/0")
        .then_undone("reserve/1")
        .then_ends(needs_attention);
}

TEST(AnUndoThatIsAlwaysRefused, KeepsTheStepsBeforeIt) {
    given<Fulfil>(shop_order)
        .refused("confirm")
        .undo_refused("charge")
        .then_undone()
        .then_ends(needs_attention);
}

TEST(TheLastCommand, IsTriedLikeAnUndo) {
    given<Fulfil>(shop_order)
        .refused("charge")
        .undo_refused("when_undone", 2)
        .then_ends(compensated);
    given<Fulfil>(shop_order)
        .refused("charge")
        .undo_refused("when_undone")
        .then_ends(needs_attention);
}

TEST(AnImpossiblePlan, IsRefused) {
    given<Fulfil>(order("o-2", {part("a", {"b"})})).then_plan_refused("no step is called so");
}

struct Narrow : Fulfil {
    using Command = recount::Events<Undo>;
};
TEST(ACommandThatTheSagaDoesNotList, IsRefused) {
    given<Narrow>(order("o-2", {part("a")})).then_plan_refused("does not list");
}

TEST(AWrongScript, FailsAtItsLine) {
    EXPECT_NONFATAL_FAILURE(given<Fulfil>(shop_order).then_ends(compensated),
                            "but it is completed");
    EXPECT_NONFATAL_FAILURE(given<Fulfil>(shop_order).refused("charge").then_undone("reserve/0"),
                            "expected these steps to be undone: reserve/0\nbut it was: reserve/0, "
                            "reserve/1\nbecause step \"charge\" was refused: refused");
    EXPECT_NONFATAL_FAILURE(given<Fulfil>(shop_order).then_sent("reserve/0"), "to be sent");
    EXPECT_NONFATAL_FAILURE(given<Fulfil>(shop_order).refused("chrage").then_ends(completed),
                            "no step \"chrage\"");
    EXPECT_NONFATAL_FAILURE((void)given<Fulfil>(shop_order).refused("charge"), "expects nothing");
    EXPECT_NONFATAL_FAILURE(given<Fulfil>(shop_order).then_before("charge", "reserve/0"),
                            "before \"reserve/0\"");
    EXPECT_NONFATAL_FAILURE(given<Fulfil>(shop_order).then_plan_refused("x"), "but it was not");
}

}  // namespace
}  // namespace recount::saga_test
