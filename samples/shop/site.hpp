#pragma once

#include <recount/core.hpp>
#include <recount/eventstore.hpp>

#include <string>

#include "catalogue.hpp"
#include "http_server.hpp"
#include "json.hpp"
#include "repositories.hpp"
#include "shop_views.hpp"

namespace shop {

/// Answers the page's requests: JSON under /api, the page itself at /, and what operators ask
/// for (/livez, /readyz, /metrics). Thread-safe; what it refers to must outlive it.
///
/// A POST carries an Idempotency-Key, which becomes part of its command id: sent again, it
/// happens once and is answered the same. What a visitor wrote travels with them as a signed
/// token, in a cookie and in the header Recount-Session: their next read of the cart shows it,
/// or says that it cannot yet.
class Site {
public:
    Site(recount::EventStore& store, Repositories& shop, ShopViews& views, Catalogue catalogue);

    HttpResponse answer(const HttpRequest& request);

private:
    /// A request and the session it belongs to.
    struct Visit {
        const HttpRequest& request;
        recount::Session session;
    };

    HttpResponse answer(Visit& visit);
    [[nodiscard]] HttpResponse remember(const Visit& visit, HttpResponse response) const;
    HttpResponse route(Visit& visit);
    HttpResponse get(Visit& visit);
    HttpResponse post(Visit& visit);

    HttpResponse sales();
    HttpResponse stock(const HttpRequest& request);
    HttpResponse orders(const HttpRequest& request);
    HttpResponse order(const std::string& id);
    HttpResponse views();
    HttpResponse products();
    HttpResponse ready();
    HttpResponse cart(Visit& visit, const std::string& id);
    HttpResponse add_item(Visit& visit, const std::string& cart_id);
    HttpResponse check_out(Visit& visit, const std::string& cart_id);

    recount::EventStore& store_;
    Repositories& shop_;
    ShopViews& views_;
    Catalogue catalogue_;
    recount::Tokens tokens_;
};

}  // namespace shop
