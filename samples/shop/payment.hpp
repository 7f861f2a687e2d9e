#pragma once

#include <recount/core.hpp>

#include <cstdint>

#include "shop.pb.h"

namespace shop {

/// The money that moved for one order, return or adjustment.
struct Payment {
    static constexpr std::string_view category = "payment";  // streams are "payment-<document>"
    using Event = recount::Events<CardCharged, CardRefunded, CustomerCredited, DebtAdjusted>;

    std::int64_t charged = 0, refunded = 0, credited = 0;  // mills
};

inline Payment evolve(Payment payment, const CardCharged& event) {
    payment.charged += event.amount_mills();
    return payment;
}
inline Payment evolve(Payment payment, const CardRefunded& event) {
    payment.refunded += event.amount_mills();
    return payment;
}
inline Payment evolve(Payment payment, const CustomerCredited& event) {
    payment.credited += event.amount_mills();
    return payment;
}
inline Payment evolve(Payment payment, const DebtAdjusted&) { return payment; }

inline recount::Decision<Payment> decide(const Payment& payment, const ChargeCard& command) {
    if (command.amount_mills() <= 0) return recount::reject("invalid_amount");
    if (payment.charged > 0) return recount::reject("already_charged");

    CardCharged charged;
    charged.set_order_id(command.order_id());
    charged.set_amount_mills(command.amount_mills());
    return charged;
}

inline recount::Decision<Payment> decide(const Payment& payment, const RefundCard& command) {
    if (payment.charged == 0) return recount::reject("not_charged");
    if (payment.refunded == payment.charged) return recount::nothing();  // already so

    CardRefunded refunded;
    refunded.set_order_id(command.order_id());
    refunded.set_amount_mills(payment.charged - payment.refunded);
    return refunded;
}

inline recount::Decision<Payment> decide(const Payment& payment, const CreditCustomer& command) {
    if (command.amount_mills() <= 0) return recount::reject("invalid_amount");
    if (payment.credited > 0) return recount::reject("already_credited");

    CustomerCredited credited;
    credited.set_return_id(command.return_id());
    credited.set_amount_mills(command.amount_mills());
    return credited;
}

inline recount::Decision<Payment> decide(const Payment&, const AdjustDebt& command) {
    if (command.quantity() == 0) return recount::reject("invalid_quantity");

    DebtAdjusted adjusted;
    adjusted.set_document(command.document());
    adjusted.set_sku(command.sku());
    adjusted.set_quantity(command.quantity());
    adjusted.set_price_mills(command.price_mills());
    adjusted.set_customer(command.customer());
    adjusted.set_country(command.country());
    return adjusted;
}

}  // namespace shop
