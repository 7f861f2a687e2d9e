#include "views.hpp"

namespace shop {

void OrderStatus::evolve(OrderRow& row, const OrderPlaced& event, const recount::Recorded& at) {
    row.set_order_id(event.order_id());
    row.set_status("placed");
    row.set_customer(event.customer());
    row.set_country(event.country());
    row.set_lines(event.lines_size());
    row.set_units(event.units());
    row.set_mills(event.total_mills());
    row.set_placed_at(recount::to_string(at.occurred_at));
}

void OrderStatus::evolve(OrderRow& row, const OrderConfirmed&, const recount::Recorded&) {
    row.set_status("confirmed");
}

void OrderStatus::evolve(OrderRow& row, const OrderCancelled& event, const recount::Recorded&) {
    row.set_status("cancelled");
    row.set_reason(event.reason());
}

void OrderStatus::evolve(OrderRow& row, const GoodsReturned& event, const recount::Recorded& at) {
    row.set_order_id(event.return_id());
    row.set_status("returned");
    row.set_customer(event.customer());
    row.set_country(event.country());
    row.set_lines(event.lines_size());
    row.set_units(-event.units());
    row.set_mills(-event.total_mills());
    row.set_placed_at(recount::to_string(at.occurred_at));
}

void StockLevel::count(StockRow& row, const StockOpened& event) {
    row.set_on_hand(row.on_hand() + event.units());
}

void StockLevel::count(StockRow& row, const StockReceived& event) {
    row.set_on_hand(row.on_hand() + event.units());
}

void StockLevel::count(StockRow& row, const StockReserved& event) {
    row.set_net_units(row.net_units() + event.units());
    row.set_on_hand(row.on_hand() - event.units());
    row.set_reserved(row.reserved() + event.units());
}

void StockLevel::count(StockRow& row, const StockReleased& event) {
    row.set_net_units(row.net_units() - event.units());
    row.set_on_hand(row.on_hand() + event.units());
    row.set_reserved(row.reserved() - event.units());
}

void StockLevel::count(StockRow& row, const StockReturned& event) {
    row.set_net_units(row.net_units() - event.units());
    row.set_on_hand(row.on_hand() + event.units());
}

void StockLevel::count(StockRow& row, const StockAdjusted& event) {
    row.set_net_units(row.net_units() + event.change());
    row.set_on_hand(row.on_hand() + event.change());
}

void StockLevel::count(StockRow& row, const DebtAdjusted& event) {
    row.set_net_units(row.net_units() + event.quantity());
}

}  // namespace shop
