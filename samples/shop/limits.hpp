#pragma once

#include <cstdint>

namespace shop {

// Far beyond any real line of an order, and still far from where a product would overflow.
constexpr std::int64_t max_quantity = 10'000'000;
constexpr std::int64_t max_price_mills = 1'000'000'000;

constexpr bool is_quantity(std::int64_t units) { return units > 0 && units <= max_quantity; }
constexpr bool is_price(std::int64_t mills) { return mills >= 0 && mills <= max_price_mills; }

}  // namespace shop
