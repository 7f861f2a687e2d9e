#pragma once

#include <recount/saga.hpp>

#include <string>

#include "shop.pb.h"

namespace shop {

/// From a placed order to a confirmed one, or to a cancelled one with nothing held and nothing
/// charged.
struct Checkout {
    static constexpr std::string_view name = "checkout";
    using StartedBy = recount::Events<OrderPlaced>;
    using Command = recount::Events<ReserveStock, ReleaseStock, ChargeCard, RefundCard,
                                    ConfirmOrder, CancelOrder>;

    static std::string id_of(const OrderPlaced& order) { return order.order_id(); }

    /// The steps, as a value. It is recorded with the saga, so new code never moves a running one.
    static recount::Plan plan(const OrderPlaced& order);
};

}  // namespace shop
