#include "stock_item.hpp"

namespace shop {

using recount::Decision;

namespace {

Decision<StockItem> out_of_stock(const StockItem& item, std::int64_t wanted) {
    return recount::reject("out_of_stock", std::to_string(wanted) + " wanted, " +
                                               std::to_string(item.on_hand) + " on hand");
}

}  // namespace

Decision<StockItem> decide(const StockItem& item, const OpenStock& command) {
    if (command.units() <= 0) return recount::reject("invalid_quantity");
    if (item.opened >= command.units()) return recount::nothing();

    StockOpened opened;
    opened.set_sku(command.sku());
    opened.set_units(command.units() - item.opened);
    return opened;
}

Decision<StockItem> decide(const StockItem&, const ReceiveStock& command) {
    if (command.units() <= 0) return recount::reject("invalid_quantity");

    StockReceived received;
    received.set_sku(command.sku());
    received.set_units(command.units());
    return received;
}

Decision<StockItem> decide(const StockItem& item, const ReserveStock& command) {
    if (command.reservation().empty()) return recount::reject("reservation_missing");
    if (command.units() <= 0) return recount::reject("invalid_quantity");
    if (const auto held = item.reserved.find(command.reservation()); held != item.reserved.end()) {
        if (held->second == command.units()) return recount::nothing();  // already so
        return recount::reject("reservation_differs",
                               "it holds " + std::to_string(held->second) + " units");
    }
    if (item.on_hand < command.units()) return out_of_stock(item, command.units());

    StockReserved reserved;
    reserved.set_sku(command.sku());
    reserved.set_reservation(command.reservation());
    reserved.set_units(command.units());
    return reserved;
}

Decision<StockItem> decide(const StockItem& item, const ReleaseStock& command) {
    const auto held = item.reserved.find(command.reservation());
    if (held == item.reserved.end()) return recount::nothing();  // nothing is held

    StockReleased released;
    released.set_sku(command.sku());
    released.set_reservation(command.reservation());
    released.set_units(held->second);
    return released;
}

Decision<StockItem> decide(const StockItem&, const ReturnStock& command) {
    if (command.units() <= 0) return recount::reject("invalid_quantity");

    StockReturned returned;
    returned.set_sku(command.sku());
    returned.set_return_id(command.return_id());
    returned.set_units(command.units());
    return returned;
}

Decision<StockItem> decide(const StockItem& item, const AdjustStock& command) {
    if (command.change() == 0) return recount::reject("invalid_quantity");
    if (item.on_hand + command.change() < 0) return out_of_stock(item, -command.change());

    StockAdjusted adjusted;
    adjusted.set_sku(command.sku());
    adjusted.set_change(command.change());
    adjusted.set_price_mills(command.price_mills());
    adjusted.set_reason(command.reason());
    adjusted.set_customer(command.customer());
    adjusted.set_country(command.country());
    return adjusted;
}

}  // namespace shop
