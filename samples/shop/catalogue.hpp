#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace shop {

struct Product {
    std::string description;
    std::int64_t price_mills = 0;
};

/// What the shop offers: each product of a file of orders at the price it was sold for last.
/// Codes that are no goods (postage, fees) and lines without a price or name are left out.
class Catalogue {
public:
    Catalogue() = default;
    explicit Catalogue(const std::filesystem::path& file);

    /// Nothing when the shop does not offer it.
    [[nodiscard]] const Product* find(const std::string& sku) const;
    [[nodiscard]] const std::map<std::string, Product>& products() const { return products_; }

private:
    std::map<std::string, Product> products_;
};

}  // namespace shop
