#include <chrono>

#include "answers.hpp"
#include "site.hpp"

namespace shop {

using namespace std::chrono_literals;

namespace {

constexpr auto read_wait = 2s;  // how long a visitor waits for their own write

void check(const recount::Outcome& outcome) {
    if (!outcome) {
        refuse(409, outcome.rejection().code,
               outcome.rejection().detail.empty() ? outcome.rejection().code
                                                  : outcome.rejection().detail);
    }
}

Json summary(const std::string& id, const recount::Read<CartRow>& read) {
    Json body = Json::object();
    body["cart_id"] = id;
    body["items"] = read ? read->items() : 0;
    body["total_mills"] = read ? read->total_mills() : 0;
    return body;
}

}  // namespace

HttpResponse Site::cart(Visit& visit, const std::string& id) {
    const auto read =
        views_.cart_summary.get(id, recount::session(visit.session).wait_for(read_wait));
    return json_answer(summary(id, read));
}

HttpResponse Site::add_item(Visit& visit, const std::string& cart_id) {
    const std::string key = idempotency_key(visit.request);
    const Json body = parsed_body(visit.request);
    const auto sku = body.find("sku"), quantity = body.find("quantity");
    if (sku == body.end() || !sku->is_string() || quantity == body.end() ||
        !quantity->is_number_integer()) {
        refuse(400, "Bad Request", "expected {\"sku\": text, \"quantity\": whole number}");
    }
    const Product* product = catalogue_.find(sku->get<std::string>());
    if (product == nullptr) refuse(404, "Not Found", "the shop does not offer this product");

    AddItem add;
    add.set_sku(sku->get<std::string>());
    add.set_quantity(quantity->get<std::int64_t>());
    add.set_price_mills(product->price_mills);
    add.set_description(product->description);
    check(shop_.carts.handle(cart_id, add,
                             {.session = &visit.session, .command_id = cart_id + "/key/" + key}));
    return cart(visit, cart_id);
}

HttpResponse Site::check_out(Visit& visit, const std::string& cart_id) {
    const std::string key = idempotency_key(visit.request);
    parsed_body(visit.request);
    CheckOut close;
    close.set_order_id(cart_id);
    check(shop_.carts.handle(cart_id, close,
                             {.session = &visit.session, .command_id = cart_id + "/key/" + key}));
    // The second half of a check-out that was cut short is done when it is sent again: a cart
    // that is closed stays as it is, and its order's command id is always the same.
    PlaceOrder place;
    place.set_order_id(close.order_id());
    place.set_country("United Kingdom");
    for (const auto& [offer, quantity] : shop_.carts.load(cart_id).state.quantity_by_offer) {
        Line* line = place.add_lines();
        line->set_sku(offer.first);
        line->set_quantity(quantity);
        line->set_price_mills(offer.second);
    }
    check(shop_.orders.handle(close.order_id(), place,
                              {.session = &visit.session, .command_id = cart_id + "/place"}));
    views_.order_status.get(close.order_id(),
                            recount::session(visit.session).wait_for(read_wait).serve_stale());
    return json_answer({{"order_id", close.order_id()}}, 201);
}

}  // namespace shop
