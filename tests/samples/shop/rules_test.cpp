#include <gtest/gtest.h>
#include <recount/testing.hpp>

#include "cart.hpp"
#include "messages.hpp"
#include "order.hpp"
#include "payment.hpp"
#include "stock_item.hpp"

namespace shop {
namespace {

using namespace test;
using recount::test::given;

// --- carts ---------------------------------------------------------------------------------------

TEST(OpenCart, RecordsAnItem) { given<Cart>().when(add("mug", 2)).then(added("mug", 2)); }
TEST(OpenCart, TakesAPresent) { given<Cart>().when(add("mug", 1, 0)).then(added("mug", 1, 0)); }
TEST(OpenCart, TakesCodesAsTheyAre) {
    given<Cart>().when(add("gift_0001_20", 1)).then(added("gift_0001_20", 1));
    given<Cart>().when(add("BANK CHARGES", 1)).then(added("BANK CHARGES", 1));
}
TEST(OpenCart, RefusesWhatIsNoItem) {
    given<Cart>().when(add("", 1)).then_rejected("sku_missing");
    given<Cart>().when(add("mug", 0)).then_rejected("invalid_quantity");
    given<Cart>().when(add("mug", -1)).then_rejected("invalid_quantity");
    given<Cart>().when(add("mug", 10'000'001)).then_rejected("invalid_quantity");
    given<Cart>().when(add("mug", 1, -1)).then_rejected("invalid_price");
}
TEST(OpenCart, HoldsNoMoreInALineThanAnOrderTakes) {
    const auto full = added("mug", 10'000'000);
    given<Cart>(full).when(add("mug", 1)).then_rejected("invalid_quantity");
    given<Cart>(full).when(add("cup", 1)).then(added("cup", 1));
    given<Cart>(full, removed("mug", 1)).when(add("mug", 1)).then(added("mug", 1));
}
TEST(OpenCart, GivesBackWhatItHolds) {
    given<Cart>(added("mug", 3)).when(remove("mug", 2)).then(removed("mug", 2));
}
TEST(OpenCart, KeepsWhatItDoesNotHoldAtThatPrice) {
    given<Cart>(added("mug", 1)).when(remove("mug", 2)).then_rejected("not_in_cart");
    given<Cart>(added("mug", 1)).when(remove("mug", 1, 999)).then_rejected("not_in_cart");
    given<Cart>(added("mug", 1)).when(remove("cup", 1)).then_rejected("not_in_cart");
    given<Cart>(added("mug", 1)).when(remove("mug", 0)).then_rejected("invalid_quantity");
}
TEST(OpenCart, ChecksOut) {
    given<Cart>(added("mug", 1)).when(check_out("o-1")).then(checked_out("o-1"));
}
TEST(EmptyCart, DoesNotCheckOut) {
    given<Cart>().when(check_out("o-1")).then_rejected("cart_empty");
    given<Cart>(added("mug", 1), removed("mug", 1))
        .when(check_out("o-1"))
        .then_rejected("cart_empty");
    given<Cart>().when(check_out("")).then_rejected("order_id_missing");
}
TEST(CheckedOutCart, TakesNoItem) {
    given<Cart>(added("mug", 1), checked_out("o-1"))
        .when(add("mug", 1))
        .then_rejected("cart_closed");
}
TEST(CheckedOutCart, GivesNothingBack) {
    given<Cart>(added("mug", 1), checked_out("o-1"))
        .when(remove("mug", 1))
        .then_rejected("cart_closed");
}
TEST(CheckedOutCart, ChecksOutOnce) {
    const auto cart = given<Cart>(added("mug", 1), checked_out("o-1"));
    cart.when(check_out("o-1")).then_nothing();
    cart.when(check_out("o-2")).then_rejected("cart_closed");
}

// --- stock ---------------------------------------------------------------------------------------

TEST(NewStock, OpensOnceUpToALevel) {
    given<StockItem>().when(units<OpenStock>(5)).then(units<StockOpened>(5));
    given<StockItem>(units<StockOpened>(5)).when(units<OpenStock>(5)).then_nothing();
    given<StockItem>(units<StockOpened>(5)).when(units<OpenStock>(3)).then_nothing();
    given<StockItem>(units<StockOpened>(5)).when(units<OpenStock>(8)).then(units<StockOpened>(3));
    given<StockItem>().when(units<OpenStock>(0)).then_rejected("invalid_quantity");
}
TEST(SomeStock, ReceivesMore) {
    given<StockItem>().when(units<ReceiveStock>(2)).then(units<StockReceived>(2));
    given<StockItem>().when(units<ReceiveStock>(0)).then_rejected("invalid_quantity");
}
TEST(SomeStock, IsReservedUpToTheLastUnit) {
    const auto three = given<StockItem>(units<StockOpened>(2), units<StockReceived>(1));
    three.when(reservation<ReserveStock>("o/1", 3)).then(reservation<StockReserved>("o/1", 3));
    three.when(reservation<ReserveStock>("o/1", 4)).then_rejected("out_of_stock");
    three.when(reservation<ReserveStock>("o/1", 0)).then_rejected("invalid_quantity");
    three.when(reservation<ReserveStock>("", 1)).then_rejected("reservation_missing");
}
TEST(ReservedStock, IsNotReservedTwice) {
    const auto held = given<StockItem>(units<StockOpened>(9), reservation<StockReserved>("o/1", 2));
    held.when(reservation<ReserveStock>("o/1", 2)).then_nothing();
    held.when(reservation<ReserveStock>("o/1", 3)).then_rejected("reservation_differs");
    held.when(reservation<ReserveStock>("o/2", 8)).then_rejected("out_of_stock");
    held.when(reservation<ReserveStock>("o/2", 7)).then(reservation<StockReserved>("o/2", 7));
}
TEST(ReservedStock, IsReleasedOnce) {
    given<StockItem>(units<StockOpened>(9), reservation<StockReserved>("o/1", 2))
        .when(release("o/1"))
        .then(reservation<StockReleased>("o/1", 2));
    given<StockItem>(units<StockOpened>(9), reservation<StockReserved>("o/1", 2),
                     reservation<StockReleased>("o/1", 2))
        .when(release("o/1"))
        .then_nothing();
}
TEST(ReleasedStock, CanBeSoldAgain) {
    given<StockItem>(units<StockOpened>(2), reservation<StockReserved>("o/1", 2),
                     reservation<StockReleased>("o/1", 2))
        .when(reservation<ReserveStock>("o/2", 2))
        .then(reservation<StockReserved>("o/2", 2));
}
TEST(ReturnedStock, CanBeSoldAgain) {
    given<StockItem>(units<StockReturned>(1))
        .when(reservation<ReserveStock>("o/1", 1))
        .then(reservation<StockReserved>("o/1", 1));
    given<StockItem>().when(units<ReturnStock>(0)).then_rejected("invalid_quantity");
}
TEST(SomeStock, IsCorrectedButNeverBelowNothing) {
    const auto two = given<StockItem>(units<StockOpened>(2));
    two.when(change<AdjustStock>(-2)).then(change<StockAdjusted>(-2));
    two.when(change<AdjustStock>(-3)).then_rejected("out_of_stock");
    two.when(change<AdjustStock>(0)).then_rejected("invalid_quantity");
    given<StockItem>(units<StockOpened>(2), change<StockAdjusted>(-2))
        .when(reservation<ReserveStock>("o/1", 1))
        .then_rejected("out_of_stock");
}

// --- orders --------------------------------------------------------------------------------------

TEST(NewOrder, IsPlacedWithItsTotals) { given<Order>().when(place()).then(placed()); }
TEST(NewOrder, RefusesWhatIsNoOrder) {
    PlaceOrder command = place();
    command.clear_lines();
    given<Order>().when(command).then_rejected("no_lines");
    *command.add_lines() = item<Line>("mug", 0, 1);
    given<Order>().when(command).then_rejected("invalid_quantity");
    *command.mutable_lines(0) = item<Line>("mug", 1, -1);
    given<Order>().when(command).then_rejected("invalid_price");
    *command.mutable_lines(0) = item<Line>("", 1, 1);
    given<Order>().when(command).then_rejected("sku_missing");
    given<Order>().when(PlaceOrder{}).then_rejected("order_id_missing");
}
TEST(PlacedOrder, IsNotPlacedAgain) {
    given<Order>(placed()).when(place()).then_rejected("already_placed");
}
TEST(PlacedOrder, IsConfirmedOnce) {
    const auto confirm = order<ConfirmOrder>("o-1");
    given<Order>(placed()).when(confirm).then(order<OrderConfirmed>("o-1"));
    given<Order>(placed(), order<OrderConfirmed>("o-1")).when(confirm).then_nothing();
    given<Order>().when(confirm).then_rejected("not_open");
}
TEST(PlacedOrder, IsCancelledOnceWithWhatItHadCounted) {
    CancelOrder cancel = order<CancelOrder>("o-1");
    cancel.set_reason("late");
    OrderCancelled cancelled = order<OrderCancelled>("o-1");
    cancelled.set_reason("late");
    cancelled.set_customer("17850");
    cancelled.set_country("EIRE");
    cancelled.set_units(3);
    cancelled.set_total_mills(3001);
    given<Order>(placed()).when(cancel).then(cancelled);
    given<Order>(placed(), cancelled).when(cancel).then_nothing();
    given<Order>(placed(), cancelled).when(order<ConfirmOrder>("o-1")).then_rejected("not_open");
    given<Order>(placed(), order<OrderConfirmed>("o-1")).when(cancel).then_rejected("not_open");
}
TEST(Return, IsAcceptedOnce) {
    AcceptReturn accept;
    accept.set_return_id("C1");
    *accept.add_lines() = item<Line>("mug", 2, 1500);
    GoodsReturned returned;
    returned.set_return_id("C1");
    *returned.mutable_lines() = accept.lines();
    returned.set_units(2);
    returned.set_total_mills(3000);
    given<Order>().when(accept).then(returned);
    given<Order>(returned).when(accept).then_rejected("already_returned");
    given<Order>().when(AcceptReturn{}).then_rejected("return_id_missing");
}

// --- payments ------------------------------------------------------------------------------------

TEST(Card, IsChargedOnce) {
    given<Payment>().when(amount<ChargeCard>(5)).then(amount<CardCharged>(5));
    given<Payment>(amount<CardCharged>(5))
        .when(amount<ChargeCard>(5))
        .then_rejected("already_charged");
    given<Payment>().when(amount<ChargeCard>(0)).then_rejected("invalid_amount");
}
TEST(Card, IsRefundedOnceAndInFull) {
    const auto refund = order<RefundCard>("o-1");
    given<Payment>().when(refund).then_rejected("not_charged");
    given<Payment>(amount<CardCharged>(5)).when(refund).then(amount<CardRefunded>(5));
    given<Payment>(amount<CardCharged>(5), amount<CardRefunded>(5)).when(refund).then_nothing();
}
TEST(Credit, IsGivenOnce) {
    CreditCustomer credit;
    credit.set_return_id("C1");
    credit.set_amount_mills(7);
    CustomerCredited credited;
    credited.set_return_id("C1");
    credited.set_amount_mills(7);
    given<Payment>().when(credit).then(credited);
    given<Payment>(credited).when(credit).then_rejected("already_credited");
    given<Payment>().when(CreditCustomer{}).then_rejected("invalid_amount");
}
TEST(Debt, IsAdjustedInEitherDirection) {
    AdjustDebt adjust = item<AdjustDebt>("B", 1, -11'062'060);
    adjust.set_document("A1");
    DebtAdjusted adjusted = item<DebtAdjusted>("B", 1, -11'062'060);
    adjusted.set_document("A1");
    given<Payment>().when(adjust).then(adjusted);
    given<Payment>().when(AdjustDebt{}).then_rejected("invalid_quantity");
}

}  // namespace
}  // namespace shop
