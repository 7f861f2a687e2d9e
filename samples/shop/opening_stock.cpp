#include "opening_stock.hpp"

namespace shop {

namespace {

/// What a row takes from the shelf. What others bring back is not counted on.
std::int64_t taken(const RetailRow& row) {
    if (row.kind() != InvoiceKind::sale) return 0;
    return row.quantity > 0 ? row.quantity : -row.quantity;
}

}  // namespace

std::map<std::string, std::int64_t> opening_stock(const std::filesystem::path& file,
                                                  const FileTotals& totals) {
    std::map<std::string, std::int64_t> opening;
    for_each_invoice(file, totals, [&](const Invoice& invoice) {
        for (const RetailRow& row : invoice) {
            if (const std::int64_t units = taken(row); units > 0) opening[row.sku] += units;
        }
    });
    return opening;
}

}  // namespace shop
