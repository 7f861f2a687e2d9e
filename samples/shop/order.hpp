#pragma once

#include <recount/core.hpp>

#include <cstdint>
#include <string>

#include "shop.pb.h"

namespace shop {

/// Where an order stands. A return of goods is a document of its own, in a stream like an order's.
struct Order {
    static constexpr std::string_view category = "order";  // streams are "order-<id>"
    using Event = recount::Events<OrderPlaced, OrderConfirmed, OrderCancelled, GoodsReturned>;
    enum class Status : std::uint8_t { none, placed, confirmed, cancelled, returned };

    Status status = Status::none;
    std::string customer, country;
    std::int64_t units = 0, total_mills = 0;
};

inline Order evolve(Order order, const OrderPlaced& event) {
    order.status = Order::Status::placed;
    order.customer = event.customer();
    order.country = event.country();
    order.units = event.units();
    order.total_mills = event.total_mills();
    return order;
}
inline Order evolve(Order order, const OrderConfirmed&) {
    order.status = Order::Status::confirmed;
    return order;
}
inline Order evolve(Order order, const OrderCancelled&) {
    order.status = Order::Status::cancelled;
    return order;
}
inline Order evolve(Order order, const GoodsReturned&) {
    order.status = Order::Status::returned;
    return order;
}

recount::Decision<Order> decide(const Order& order, const PlaceOrder& command);
recount::Decision<Order> decide(const Order& order, const ConfirmOrder& command);
recount::Decision<Order> decide(const Order& order, const CancelOrder& command);
recount::Decision<Order> decide(const Order& order, const AcceptReturn& command);

}  // namespace shop
