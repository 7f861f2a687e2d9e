#pragma once

#include <recount/core.hpp>

#include <map>
#include <string>

#include "shop.pb.h"

namespace shop {

/// What may be sold of one SKU, and what is set aside for whom.
struct StockItem {
    static constexpr std::string_view category = "stock";  // streams are "stock-<sku>"
    using Event = recount::Events<StockOpened, StockReceived, StockReserved, StockReleased,
                                  StockReturned, StockAdjusted>;

    std::int64_t opened = 0;  // opening stock, all told
    std::int64_t on_hand = 0;
    std::map<std::string, std::int64_t> reserved;  // units by reservation
};

inline StockItem evolve(StockItem item, const StockOpened& event) {
    item.opened += event.units();
    item.on_hand += event.units();
    return item;
}
inline StockItem evolve(StockItem item, const StockReceived& event) {
    item.on_hand += event.units();
    return item;
}
inline StockItem evolve(StockItem item, const StockReserved& event) {
    item.on_hand -= event.units();
    item.reserved[event.reservation()] = event.units();
    return item;
}
inline StockItem evolve(StockItem item, const StockReleased& event) {
    item.on_hand += event.units();
    item.reserved.erase(event.reservation());
    return item;
}
inline StockItem evolve(StockItem item, const StockReturned& event) {
    item.on_hand += event.units();
    return item;
}
inline StockItem evolve(StockItem item, const StockAdjusted& event) {
    item.on_hand += event.change();
    return item;
}

recount::Decision<StockItem> decide(const StockItem& item, const OpenStock& command);
recount::Decision<StockItem> decide(const StockItem& item, const ReceiveStock& command);
recount::Decision<StockItem> decide(const StockItem& item, const ReserveStock& command);
recount::Decision<StockItem> decide(const StockItem& item, const ReleaseStock& command);
recount::Decision<StockItem> decide(const StockItem& item, const ReturnStock& command);
recount::Decision<StockItem> decide(const StockItem& item, const AdjustStock& command);

}  // namespace shop
