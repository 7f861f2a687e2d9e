#include "checkout.hpp"

#include <chrono>

namespace shop {

namespace {

/// Each line holds its own: a SKU may be in an order twice.
std::string reservation(const OrderPlaced& order, int line) {
    return order.order_id() + "/" + std::to_string(line + 1);
}

ReserveStock reserve(const OrderPlaced& order, int line) {
    ReserveStock command;
    command.set_sku(order.lines(line).sku());
    command.set_reservation(reservation(order, line));
    command.set_units(order.lines(line).quantity());
    return command;
}

ReleaseStock release(const OrderPlaced& order, int line) {
    ReleaseStock command;
    command.set_sku(order.lines(line).sku());
    command.set_reservation(reservation(order, line));
    return command;
}

ChargeCard charge(const OrderPlaced& order) {
    ChargeCard command;
    command.set_order_id(order.order_id());
    command.set_amount_mills(order.total_mills());
    return command;
}

RefundCard refund(const OrderPlaced& order) {
    RefundCard command;
    command.set_order_id(order.order_id());
    return command;
}

ConfirmOrder confirm(const OrderPlaced& order) {
    ConfirmOrder command;
    command.set_order_id(order.order_id());
    return command;
}

CancelOrder cancel(const OrderPlaced& order) {
    CancelOrder command;
    command.set_order_id(order.order_id());
    command.set_reason("could not be fulfilled");
    return command;
}

}  // namespace

recount::Plan Checkout::plan(const OrderPlaced& order) {
    using namespace std::chrono_literals;
    const bool somebody_waits = order.source().empty();  // an order of the past has all the time

    recount::Plan plan;
    for (int line = 0; line < order.lines_size(); ++line) {  // all reservations at once
        plan.step("reserve/" + std::to_string(line + 1), reserve(order, line))
            .undo(release(order, line));
    }
    if (order.total_mills() > 0) {  // presents are not charged
        auto charging = plan.step("charge", charge(order)).after("reserve/*").undo(refund(order));
        if (somebody_waits) charging.within(30s);
    }
    plan.step("confirm", confirm(order)).after(order.total_mills() > 0 ? "charge" : "reserve/*");
    plan.when_undone(cancel(order));
    if (somebody_waits) plan.deadline(10min);
    return plan;
}

}  // namespace shop
