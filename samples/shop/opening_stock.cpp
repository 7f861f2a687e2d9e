#include "opening_stock.hpp"

#include <algorithm>
#include <unordered_map>

namespace shop {

namespace {

/// What a row takes from the shelf; less than 0: what it puts back.
std::int64_t taken(const RetailRow& row) {
    switch (row.kind()) {
        case InvoiceKind::sale:
            return row.quantity > 0 ? row.quantity : -row.quantity;
        case InvoiceKind::goods_returned:
            return row.quantity;
        case InvoiceKind::debt_adjusted:
            return 0;
    }
    return 0;
}

struct Shelf {
    std::int64_t balance = 0, lowest = 0;
};

}  // namespace

std::map<std::string, std::int64_t> opening_stock(const std::filesystem::path& file,
                                                  const FileTotals& totals) {
    std::unordered_map<std::string, Shelf> shelves;
    for_each_invoice(file, totals, [&](const Invoice& invoice) {
        for (const RetailRow& row : invoice) {
            Shelf& shelf = shelves[row.sku];
            shelf.balance -= taken(row);
            shelf.lowest = std::min(shelf.lowest, shelf.balance);
        }
    });
    std::map<std::string, std::int64_t> opening;
    for (const auto& [sku, shelf] : shelves) {
        if (shelf.lowest < 0) opening.emplace(sku, -shelf.lowest);
    }
    return opening;
}

}  // namespace shop
