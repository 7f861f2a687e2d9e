#pragma once

#include <recount/projections.hpp>

#include <string>

#include "sales.hpp"
#include "shop.pb.h"

namespace shop {

/// One row a cart: what the cart page shows.
struct CartSummary {
    static constexpr std::string_view name = "cart_summary";
    static constexpr int version = 1;  // a new version is built beside the old one, then swapped in
    static constexpr std::string_view category = "cart";
    using Row = CartRow;  // a protobuf message; its fields become the table's columns
    using Event = recount::Events<ItemAdded, ItemRemoved, CheckedOut>;

    static void evolve(CartRow& row, const ItemAdded& event, const recount::Recorded& at) {
        row.set_cart_id(std::string{at.stream.id()});
        row.set_items(row.items() + event.quantity());
        row.set_total_mills(row.total_mills() + event.quantity() * event.price_mills());
    }
    static void evolve(CartRow& row, const ItemRemoved& event, const recount::Recorded&) {
        row.set_items(row.items() - event.quantity());
        row.set_total_mills(row.total_mills() - event.quantity() * event.price_mills());
    }
    static recount::Row evolve(CartRow&, const CheckedOut&, const recount::Recorded&) {
        return recount::Row::remove;  // the order's page takes over
    }
};

/// One row an order or return: where it stands.
struct OrderStatus {
    static constexpr std::string_view name = "order_status";
    static constexpr int version = 1;
    static constexpr std::string_view category = "order";
    using Row = OrderRow;
    using Event = recount::Events<OrderPlaced, OrderConfirmed, OrderCancelled, GoodsReturned>;

    static void evolve(OrderRow& row, const OrderPlaced& event, const recount::Recorded& at);
    static void evolve(OrderRow& row, const OrderConfirmed& event, const recount::Recorded& at);
    static void evolve(OrderRow& row, const OrderCancelled& event, const recount::Recorded& at);
    static void evolve(OrderRow& row, const GoodsReturned& event, const recount::Recorded& at);
};

/// One row a SKU. `net_units` is what was sold less what came back: a reservation counts the line
/// of an order, a return or adjustment its own line.
struct StockLevel {
    static constexpr std::string_view name = "stock_level";
    static constexpr int version = 1;
    using Row = StockRow;
    using Event = recount::Events<StockOpened, StockReceived, StockReserved, StockReleased,
                                  StockReturned, StockAdjusted, DebtAdjusted>;

    template <class E>
        requires(Event::contains<E>)
    static std::string key_of(const E& event, const recount::Recorded&) { return event.sku(); }
    template <class E>
        requires(Event::contains<E>)
    static void evolve(StockRow& row, const E& event, const recount::Recorded&) {
        row.set_sku(event.sku());
        count(row, event);
    }

private:
    static void count(StockRow& row, const StockOpened& event);
    static void count(StockRow& row, const StockReceived& event);
    static void count(StockRow& row, const StockReserved& event);
    static void count(StockRow& row, const StockReleased& event);
    static void count(StockRow& row, const StockReturned& event);
    static void count(StockRow& row, const StockAdjusted& event);
    static void count(StockRow& row, const DebtAdjusted& event);
};

/// What was sold in a month (of `occurred_at`), less what came back in it.
struct SalesByMonth {
    static constexpr std::string_view name = "sales_by_month";
    static constexpr int version = 1;
    using Row = MonthRow;
    using Event = SalesEvents;

    template <class E>
        requires(Event::contains<E>)
    static std::string key_of(const E&, const recount::Recorded& at) {
        return recount::month_of(at.occurred_at);
    }
    template <class E>
        requires(Event::contains<E>)
    static void evolve(MonthRow& row, const E& event, const recount::Recorded& at) {
        row.set_month(recount::month_of(at.occurred_at));
        row.set_mills(row.mills() + sale(event).mills);
        row.set_units(row.units() + sale(event).units);
    }
};

struct SalesByCountry {
    static constexpr std::string_view name = "sales_by_country";
    static constexpr int version = 1;
    using Row = CountryRow;
    using Event = SalesEvents;

    template <class E>
        requires(Event::contains<E>)
    static std::string key_of(const E& event, const recount::Recorded&) { return event.country(); }
    template <class E>
        requires(Event::contains<E>)
    static void evolve(CountryRow& row, const E& event, const recount::Recorded&) {
        row.set_country(event.country());
        row.set_mills(row.mills() + sale(event).mills);
    }
};

/// All guests share one row, that of the empty customer.
struct CustomerSpend {
    static constexpr std::string_view name = "customer_spend";
    static constexpr int version = 1;
    using Row = CustomerRow;
    using Event = SalesEvents;

    template <class E>
        requires(Event::contains<E>)
    static std::string key_of(const E& event, const recount::Recorded&) {
        return event.customer().empty() ? "guests" : event.customer();
    }
    template <class E>
        requires(Event::contains<E>)
    static void evolve(CustomerRow& row, const E& event, const recount::Recorded&) {
        row.set_customer(event.customer());
        row.set_mills(row.mills() + sale(event).mills);
    }
};

}  // namespace shop
