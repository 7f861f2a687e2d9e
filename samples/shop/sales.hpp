#pragma once

#include <recount/core/events.hpp>

#include <cstdint>

#include "shop.pb.h"

namespace shop {

/// Money and units, as the three views of sales add them up.
struct Sale {
    std::int64_t mills = 0, units = 0;
};

/// The events that count as sales. A row of the file is counted by exactly one of them: the lines
/// of a sale by the order they were placed with, returned goods by their return, other corrections
/// by themselves. A cancelled order takes back what its placing counted.
using SalesEvents =
    recount::Events<OrderPlaced, OrderCancelled, GoodsReturned, StockAdjusted, DebtAdjusted>;

inline Sale sale(const OrderPlaced& event) { return {event.total_mills(), event.units()}; }
inline Sale sale(const OrderCancelled& event) { return {-event.total_mills(), -event.units()}; }
inline Sale sale(const GoodsReturned& event) { return {-event.total_mills(), -event.units()}; }
inline Sale sale(const StockAdjusted& event) {
    return {event.change() * event.price_mills(), event.change()};
}
inline Sale sale(const DebtAdjusted& event) {
    return {event.quantity() * event.price_mills(), event.quantity()};
}

}  // namespace shop
