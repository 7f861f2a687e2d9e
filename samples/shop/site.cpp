#include "site.hpp"

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include "answers.hpp"
#include "page.hpp"

namespace shop {

namespace {

/// Tokens are valid as long as this process: a visitor whose token is not gets a new one.
recount::Tokens::Key new_key(recount::Environment& environment) {
    std::string secret(32, '\0');
    environment.random.fill({reinterpret_cast<std::uint8_t*>(secret.data()), secret.size()});
    return {"process", std::move(secret)};
}

std::optional<std::string> cart_of(const std::string& path, const std::string& suffix) {
    const auto id = between(path, "/api/carts/", suffix, longest_cart);
    return id ? std::optional{std::string{cart_prefix} + *id} : std::nullopt;
}

}  // namespace

Site::Site(recount::EventStore& store, Repositories& shop, ShopViews& views, Catalogue catalogue)
    : store_(store),
      shop_(shop),
      views_(views),
      catalogue_(std::move(catalogue)),
      tokens_({new_key(store.environment())}, {}, store.environment()) {}

HttpResponse Site::answer(const HttpRequest& request) {
    Visit visit{request, {}};
    try {
        std::string token = request.header("recount-session");
        if (token.empty()) token = request.cookie("shop_session");
        if (!token.empty()) visit.session = recount::Session{tokens_.decode(token)};
    } catch (const recount::InvalidArgument&) {
        visit.session = {};  // expired, or of an earlier process: begins anew
    }
    // Whatever becomes of a request, what it had written by then stays the visitor's to see.
    return remember(visit, answer(visit));
}

HttpResponse Site::answer(Visit& visit) {
    try {
        return route(visit);
    } catch (const Refused& refused) {
        return refused.response;
    } catch (const recount::CommandReused&) {
        return problem(422, "Idempotency-Key Reused", "this key was used for something else");
    } catch (const recount::InvalidArgument& error) {
        return problem(400, "Bad Request", error.what());
    } catch (const recount::NotThereYet& error) {
        HttpResponse response = problem(503, "Not There Yet", error.what());
        response.headers.emplace_back("Retry-After", "1");
        return response;
    } catch (const recount::Error& error) {
        if (!error.retryable()) return problem(500, "Internal Server Error");
        HttpResponse response = problem(503, "Service Unavailable", "try again");
        response.headers.emplace_back("Retry-After", "1");
        return response;
    } catch (const std::exception&) {
        return problem(500, "Internal Server Error");
    }
}

HttpResponse Site::remember(const Visit& visit, HttpResponse response) const {
    if (visit.session.token().empty()) return response;
    const std::string token = tokens_.encode(visit.session.token());
    response.headers.emplace_back("Recount-Session", token);
    response.headers.emplace_back("Set-Cookie",
                                  "shop_session=" + token + "; Path=/; HttpOnly; SameSite=Strict");
    return response;
}

HttpResponse Site::route(Visit& visit) {
    if (visit.request.method == "GET" || visit.request.method == "HEAD") return get(visit);
    if (visit.request.method == "POST") return post(visit);
    HttpResponse response = problem(405, "Method Not Allowed");
    response.headers.emplace_back("Allow", "GET, HEAD, POST");
    return response;
}

HttpResponse Site::get(Visit& visit) {
    const HttpRequest& request = visit.request;
    if (request.path == "/") {
        return {.content_type = "text/html; charset=utf-8",
                .body = std::string{page},
                .headers = {{"Content-Security-Policy",
                             "default-src 'self'; style-src 'unsafe-inline'; "
                             "script-src 'unsafe-inline'; img-src data:"}}};
    }
    if (request.path == "/livez") return json_answer({{"status", "alive"}});
    if (request.path == "/readyz") return ready();
    if (request.path == "/metrics") {
        return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
                .body = store_.environment().metrics.prometheus()};
    }
    if (request.path == "/api/sales") return sales();
    if (request.path == "/api/stock") return stock(request);
    if (request.path == "/api/orders") return orders(request);
    if (request.path == "/api/views") return views();
    if (request.path == "/api/products") return products();
    if (const auto id = between(request.path, "/api/orders/", "", longest_order)) return order(*id);
    if (const auto id = cart_of(request.path, "")) return cart(visit, *id);
    return problem(404, "Not Found");
}

HttpResponse Site::post(Visit& visit) {
    const std::string& path = visit.request.path;
    if (const auto id = cart_of(path, "/items")) return add_item(visit, *id);
    if (const auto id = cart_of(path, "/check-out")) return check_out(visit, *id);
    return problem(404, "Not Found");
}

}  // namespace shop
