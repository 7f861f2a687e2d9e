#include "order.hpp"

#include <google/protobuf/repeated_field.h>

#include <optional>

#include "limits.hpp"

namespace shop {

using recount::Decision;

namespace {

using Lines = google::protobuf::RepeatedPtrField<Line>;

std::optional<recount::Rejection> fault(const Lines& lines) {
    if (lines.empty()) return recount::reject("no_lines");
    for (const Line& line : lines) {
        if (line.sku().empty()) return recount::reject("sku_missing");
        if (!is_quantity(line.quantity())) return recount::reject("invalid_quantity", line.sku());
        if (!is_price(line.price_mills())) return recount::reject("invalid_price", line.sku());
    }
    return std::nullopt;
}

template <class Event>
void total(Event& event, const Lines& lines) {
    std::int64_t units = 0, mills = 0;
    for (const Line& line : lines) {
        units += line.quantity();
        mills += line.quantity() * line.price_mills();
    }
    *event.mutable_lines() = lines;
    event.set_units(units);
    event.set_total_mills(mills);
}

}  // namespace

Decision<Order> decide(const Order& order, const PlaceOrder& command) {
    if (command.order_id().empty()) return recount::reject("order_id_missing");
    if (order.status != Order::Status::none) return recount::reject("already_placed");
    if (const auto wrong = fault(command.lines())) return *wrong;

    OrderPlaced placed;
    placed.set_order_id(command.order_id());
    placed.set_customer(command.customer());
    placed.set_country(command.country());
    placed.set_source(command.source());
    total(placed, command.lines());
    return placed;
}

Decision<Order> decide(const Order& order, const ConfirmOrder& command) {
    if (order.status == Order::Status::confirmed) return recount::nothing();
    if (order.status != Order::Status::placed) return recount::reject("not_open");

    OrderConfirmed confirmed;
    confirmed.set_order_id(command.order_id());
    return confirmed;
}

Decision<Order> decide(const Order& order, const CancelOrder& command) {
    if (order.status == Order::Status::cancelled) return recount::nothing();
    if (order.status != Order::Status::placed) return recount::reject("not_open");

    OrderCancelled cancelled;
    cancelled.set_order_id(command.order_id());
    cancelled.set_reason(command.reason());
    cancelled.set_customer(order.customer);
    cancelled.set_country(order.country);
    cancelled.set_units(order.units);
    cancelled.set_total_mills(order.total_mills);
    return cancelled;
}

Decision<Order> decide(const Order& order, const AcceptReturn& command) {
    if (command.return_id().empty()) return recount::reject("return_id_missing");
    if (order.status != Order::Status::none) return recount::reject("already_returned");
    if (const auto wrong = fault(command.lines())) return *wrong;

    GoodsReturned returned;
    returned.set_return_id(command.return_id());
    returned.set_customer(command.customer());
    returned.set_country(command.country());
    total(returned, command.lines());
    return returned;
}

}  // namespace shop
