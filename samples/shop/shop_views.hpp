#pragma once

#include <recount/projections.hpp>

#include <string>

#include "views.hpp"

namespace shop {

/// Writes all views of the shop, reading the log once.
using ShopProjector = recount::Projector<CartSummary, OrderStatus, StockLevel, SalesByMonth,
                                         SalesByCountry, CustomerSpend>;

/// Reads all views of the shop. Thread-safe; the store must outlive it.
struct ShopViews {
    /// `views`: the URL beside which they stand; empty: beside the store.
    explicit ShopViews(recount::EventStore& store, const std::string& views = {})
        : cart_summary(store, {.views = views}),
          order_status(store, {.views = views}),
          stock_level(store, {.views = views}),
          sales_by_month(store, {.views = views}),
          sales_by_country(store, {.views = views}),
          customer_spend(store, {.views = views}) {}

    recount::View<CartSummary> cart_summary;
    recount::View<OrderStatus> order_status;
    recount::View<StockLevel> stock_level;
    recount::View<SalesByMonth> sales_by_month;
    recount::View<SalesByCountry> sales_by_country;
    recount::View<CustomerSpend> customer_spend;

    /// Calls `visit(name, view)` for each, in order of name.
    template <class Visit>
    void for_each(Visit&& visit) {
        visit(CartSummary::name, cart_summary);
        visit(CustomerSpend::name, customer_spend);
        visit(OrderStatus::name, order_status);
        visit(SalesByCountry::name, sales_by_country);
        visit(SalesByMonth::name, sales_by_month);
        visit(StockLevel::name, stock_level);
    }
};

}  // namespace shop
