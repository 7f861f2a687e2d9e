#include "catalogue.hpp"

#include <cctype>

#include "retail_file.hpp"

namespace shop {

Catalogue::Catalogue(const std::filesystem::path& path) {
    RetailFile file{path};
    for (RetailRow row; file.next(row);) {
        const bool goods = std::isdigit(static_cast<unsigned char>(row.sku.front())) != 0;
        if (row.kind() != InvoiceKind::sale || row.quantity < 0 || row.price_mills == 0) continue;
        if (!goods || row.description.empty()) continue;
        products_[row.sku] = {row.description, row.price_mills};
    }
}

const Product* Catalogue::find(const std::string& sku) const {
    const auto found = products_.find(sku);
    return found == products_.end() ? nullptr : &found->second;
}

}  // namespace shop
