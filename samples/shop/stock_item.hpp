#pragma once

#include <recount/core.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "shop.pb.h"

namespace shop {

/// Units set aside under a name: "<order>/<line>".
struct Reservation {
    std::string name;
    std::int64_t units = 0;
};

/// What may be sold of one SKU, and what is set aside for whom.
struct StockItem {
    static constexpr std::string_view category = "stock";  // streams are "stock-<sku>"
    using Event = recount::Events<StockOpened, StockReceived, StockReserved, StockReleased,
                                  StockReturned, StockAdjusted>;

    std::int64_t opened = 0;  // opening stock, all told
    std::int64_t on_hand = 0;
    std::vector<Reservation> reserved;  // by name; a vector, as states are copied often
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
StockItem evolve(StockItem item, const StockReserved& event);
StockItem evolve(StockItem item, const StockReleased& event);
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
