#pragma once

#include <recount/core.hpp>

#include <map>
#include <string>
#include <utility>

#include "limits.hpp"
#include "shop.pb.h"

namespace shop {

/// What the rules need to know about a cart, and nothing more.
struct Cart {
    static constexpr std::string_view category = "cart";  // streams are "cart-<id>"
    using Event = recount::Events<ItemAdded, ItemRemoved, CheckedOut>;
    using Offer = std::pair<std::string, std::int64_t>;  // a SKU at a price

    std::map<Offer, std::int64_t> quantity_by_offer;
    std::string order_id;  // set once checked out
};

// evolve: what each fact means. It has happened, so this cannot fail.
inline Cart evolve(Cart cart, const ItemAdded& event) {
    cart.quantity_by_offer[{event.sku(), event.price_mills()}] += event.quantity();
    return cart;
}
inline Cart evolve(Cart cart, const ItemRemoved& event) {
    auto line = cart.quantity_by_offer.find({event.sku(), event.price_mills()});
    if ((line->second -= event.quantity()) == 0) cart.quantity_by_offer.erase(line);
    return cart;
}
inline Cart evolve(Cart cart, const CheckedOut& event) {
    cart.order_id = event.order_id();
    return cart;
}

// decide: the rules. Same cart and same command, same answer: no clock, no I/O.
inline recount::Decision<Cart> decide(const Cart& cart, const AddItem& command) {
    if (!cart.order_id.empty()) return recount::reject("cart_closed", "already checked out");
    if (command.sku().empty()) return recount::reject("sku_missing");
    if (!is_quantity(command.quantity())) return recount::reject("invalid_quantity");
    if (!is_price(command.price_mills())) return recount::reject("invalid_price");
    const auto line = cart.quantity_by_offer.find({command.sku(), command.price_mills()});
    const std::int64_t held = line == cart.quantity_by_offer.end() ? 0 : line->second;
    if (!is_quantity(held + command.quantity())) {
        return recount::reject("invalid_quantity", "no order takes so many of these in a line");
    }

    ItemAdded added;
    added.set_sku(command.sku());
    added.set_quantity(command.quantity());
    added.set_price_mills(command.price_mills());
    added.set_description(command.description());
    return added;
}

inline recount::Decision<Cart> decide(const Cart& cart, const RemoveItem& command) {
    if (!cart.order_id.empty()) return recount::reject("cart_closed", "already checked out");
    if (command.quantity() <= 0) return recount::reject("invalid_quantity");
    const auto line = cart.quantity_by_offer.find({command.sku(), command.price_mills()});
    if (line == cart.quantity_by_offer.end() || line->second < command.quantity()) {
        return recount::reject("not_in_cart", "the cart holds fewer of these at this price");
    }

    ItemRemoved removed;
    removed.set_sku(command.sku());
    removed.set_quantity(command.quantity());
    removed.set_price_mills(command.price_mills());
    return removed;
}

inline recount::Decision<Cart> decide(const Cart& cart, const CheckOut& command) {
    if (command.order_id().empty()) return recount::reject("order_id_missing");
    if (cart.order_id == command.order_id()) return recount::nothing();  // already so
    if (!cart.order_id.empty()) return recount::reject("cart_closed", "already checked out");
    if (cart.quantity_by_offer.empty()) return recount::reject("cart_empty");

    CheckedOut checked_out;
    checked_out.set_order_id(command.order_id());
    return checked_out;
}

}  // namespace shop
