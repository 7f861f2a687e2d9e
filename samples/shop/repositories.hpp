#pragma once

#include <recount/core.hpp>

#include "cart.hpp"
#include "order.hpp"
#include "payment.hpp"
#include "stock_item.hpp"

namespace shop {

/// Who handles the shop's commands. Thread-safe; the store must outlive it.
struct Repositories {
    explicit Repositories(recount::Streams& store)
        : carts(store), stock(store, {.cached_states = 8192}), orders(store), payments(store) {}

    recount::Repository<Cart> carts;
    recount::Repository<StockItem> stock;  // every sale touches many: all SKUs fit into its cache
    recount::Repository<Order> orders;
    recount::Repository<Payment> payments;
};

}  // namespace shop
