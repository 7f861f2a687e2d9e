#include "stock_item.hpp"

#include <algorithm>

namespace shop {

using recount::Decision;

namespace {

Decision<StockItem> out_of_stock(const StockItem& item, std::int64_t wanted) {
    return recount::reject("out_of_stock", std::to_string(wanted) + " wanted, " +
                                               std::to_string(item.on_hand) + " on hand");
}

/// Where the reservation of this name is, or belongs. Most are newer than all before.
template <class Reservations>
auto place_of(Reservations& reserved, const std::string& name) {
    if (!reserved.empty() && reserved.back().name < name) return reserved.end();
    return std::lower_bound(
        reserved.begin(), reserved.end(), name,
        [](const Reservation& held, const std::string& wanted) { return held.name < wanted; });
}

/// Units held under a name; 0 when there are none.
std::int64_t held_for(const StockItem& item, const std::string& name) {
    const auto place = place_of(item.reserved, name);
    return place != item.reserved.end() && place->name == name ? place->units : 0;
}

}  // namespace

StockItem evolve(StockItem item, const StockReserved& event) {
    item.on_hand -= event.units();
    item.reserved.insert(place_of(item.reserved, event.reservation()),
                         {event.reservation(), event.units()});
    return item;
}

StockItem evolve(StockItem item, const StockReleased& event) {
    item.on_hand += event.units();
    item.reserved.erase(place_of(item.reserved, event.reservation()));
    return item;
}

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
    if (const std::int64_t held = held_for(item, command.reservation()); held > 0) {
        if (held == command.units()) return recount::nothing();  // already so
        return recount::reject("reservation_differs",
                               "it holds " + std::to_string(held) + " units");
    }
    if (item.on_hand < command.units()) return out_of_stock(item, command.units());

    StockReserved reserved;
    reserved.set_sku(command.sku());
    reserved.set_reservation(command.reservation());
    reserved.set_units(command.units());
    return reserved;
}

Decision<StockItem> decide(const StockItem& item, const ReleaseStock& command) {
    const std::int64_t held = held_for(item, command.reservation());
    if (held == 0) return recount::nothing();  // nothing is held

    StockReleased released;
    released.set_sku(command.sku());
    released.set_reservation(command.reservation());
    released.set_units(held);
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
