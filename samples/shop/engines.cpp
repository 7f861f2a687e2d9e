#include "engines.hpp"

#include <string>

#include "checkout.hpp"

namespace shop {

void add_sagas(recount::SagaEngine& engine, Repositories& shop) {
    const auto sku = [](const auto& command) -> std::string { return command.sku(); };
    const auto order = [](const auto& command) -> std::string { return command.order_id(); };

    engine.add<Checkout>({.from_beginning = true});  // no order is older than its saga
    engine.deliver<ReserveStock>(shop.stock, sku);
    engine.deliver<ReleaseStock>(shop.stock, sku);
    engine.deliver<ChargeCard>(shop.payments, order);
    engine.deliver<RefundCard>(shop.payments, order);
    engine.deliver<ConfirmOrder>(shop.orders, order);
    engine.deliver<CancelOrder>(shop.orders, order);
}

}  // namespace shop
