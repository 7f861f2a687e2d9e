#pragma once

#include <recount/projections.hpp>

#include <stdexcept>

#include "cart.pb.h"

namespace recount::test::projections {

/// One row a cart; gone when it is checked out.
struct Carts {
    static constexpr std::string_view name = "carts";
    static constexpr int version = 1;
    using Row = CartRow;
    using Event = recount::Events<ItemAdded, ItemRemoved, CheckedOut>;

    static void evolve(CartRow& row, const ItemAdded& event, const Recorded&) {
        if (!row.has_first_price()) row.set_first_price(event.price());
        row.set_items(row.items() + event.quantity());
        row.set_total(row.total() + event.quantity() * event.price());
        row.set_last_sku(event.sku());
        add(row, event.sku(), event.quantity());
    }
    static void evolve(CartRow& row, const ItemRemoved& event, const Recorded&) {
        if (event.sku() == "poison") throw std::runtime_error("cannot take this");
        row.set_items(row.items() - event.quantity());
        add(row, event.sku(), -event.quantity());
    }
    static recount::Row evolve(CartRow&, const CheckedOut&, const Recorded&) {
        return recount::Row::remove;
    }

private:
    static void add(CartRow& row, const std::string& sku, std::int64_t quantity) {
        for (auto& line : *row.mutable_lines()) {
            if (line.sku() == sku) return line.set_quantity(line.quantity() + quantity);
        }
        auto& line = *row.add_lines();
        line.set_sku(sku);
        line.set_quantity(quantity);
    }
};

/// The same, and a read by key knows which partition feeds it.
struct CategoryCarts : Carts {
    static constexpr std::string_view name = "category_carts";
    static constexpr std::string_view category = "cart";
};

/// One row a sku, fed by all partitions.
struct Skus {
    static constexpr std::string_view name = "skus";
    static constexpr int version = 1;
    using Row = SkuRow;
    using Event = recount::Events<ItemAdded, ItemRemoved>;

    static void evolve(SkuRow& row, const ItemAdded& event, const Recorded&) {
        row.set_added(row.added() + event.quantity());
    }
    static void evolve(SkuRow& row, const ItemRemoved& event, const Recorded&) {
        row.set_removed(row.removed() + event.quantity());
    }
    template <class E>
    static std::string key_of(const E& event, const Recorded&) {
        return event.sku();
    }
};

/// Counts how often each position was applied: in SQL, where twice would be seen.
struct Counts {
    static constexpr std::string_view name = "counts";
    static constexpr int version = 1;
    using Event = recount::Events<ItemAdded, ItemRemoved, CheckedOut>;

    static void create(Sql& sql) {
        sql.exec(
            "create table counts (part bigint, n bigint, times bigint, primary key (part, n))");
    }
    template <class E>
    static void on(const E&, const Recorded& at, Sql& sql) {
        sql.exec(
            "insert into counts (part, n, times) values ($1, $2, 1) "
            "on conflict (part, n) do update set times = counts.times + 1",
            at.position.partition.value, at.position.n);
    }
};

}  // namespace recount::test::projections
