#include <recount/core/utf8.hpp>
#include <recount/saga.hpp>

#include <map>
#include <utility>

#include "answers.hpp"
#include "checkout.hpp"
#include "site.hpp"

namespace shop {

HttpResponse Site::sales() {
    const recount::ListRows all{.limit = 100'000};
    Json body = {{"total_mills", 0}, {"total_units", 0}, {"orders", 0}};
    std::int64_t mills = 0, units = 0;
    body["months"] = Json::array();
    for (const auto& [key, row] : views_.sales_by_month.list(all).rows) {
        mills += row.mills();
        units += row.units();
        body["months"].push_back(to_json(row));
    }
    body["countries"] = Json::array();
    for (const auto& [key, row] : views_.sales_by_country.list(all).rows) {
        body["countries"].push_back(to_json(row));
    }
    const auto count =
        views_.order_status.query(recount::eventual(), "select count(*) from order_status");
    body["total_mills"] = mills;
    body["total_units"] = units;
    body["orders"] = count.result.empty() ? 0 : count.result.integer(0, 0);
    return json_answer(body);
}

HttpResponse Site::stock(const HttpRequest& request) {
    const auto limit = limit_of(request, 50, 1000);
    const std::string sku = request.parameter("sku");
    Json rows = Json::array();
    // PostgreSQL would refuse to compare it, and no SKU begins with it.
    if (!recount::valid_utf8(sku) || sku.find('\0') != std::string::npos) {
        return json_answer({{"stock", rows}});
    }
    const auto read = views_.stock_level.query(
        recount::eventual(),
        "select sku, net_units, on_hand, reserved from stock_level "
        "where substr(sku, 1, length($1)) = $1 order by net_units desc, sku limit $2",
        sku, static_cast<std::int64_t>(limit));
    for (std::size_t i = 0; i < read.result.size(); ++i) {
        rows.push_back({{"sku", read.result.text(i, 0)},
                        {"net_units", read.result.integer(i, 1)},
                        {"on_hand", read.result.integer(i, 2)},
                        {"reserved", read.result.integer(i, 3)}});
    }
    return json_answer({{"stock", rows}});
}

HttpResponse Site::orders(const HttpRequest& request) {
    const auto limit = static_cast<std::int64_t>(limit_of(request, 20, 1000));
    const auto read = views_.order_status.query(
        recount::eventual(),
        "select order_id, status, country, lines, units, mills, placed_at from order_status "
        "order by placed_at desc, order_id desc limit $1",
        limit);
    Json rows = Json::array();
    for (std::size_t i = 0; i < read.result.size(); ++i) {
        rows.push_back({{"order_id", read.result.text(i, 0)},
                        {"status", read.result.text(i, 1)},
                        {"country", read.result.text(i, 2)},
                        {"lines", read.result.integer(i, 3)},
                        {"units", read.result.integer(i, 4)},
                        {"mills", read.result.integer(i, 5)},
                        {"placed_at", read.result.text(i, 6)}});
    }
    return json_answer({{"orders", rows}});
}

HttpResponse Site::order(const std::string& id) {
    const auto read = views_.order_status.get(id);
    if (!read) return problem(404, "Not Found", "no order " + id);
    Json body = to_json(*read);
    Json steps = Json::array();
    const auto saga = recount::saga_status(store_, Checkout::name, id);
    if (saga) {
        body["saga"] = saga->phase;
        const bool undone = saga->phase == "undoing" || saga->phase == "compensated";
        for (const recount::StepStatus& step : saga->steps) {
            if (step.name == "when_undone" && !undone) continue;
            steps.push_back({{"name", step.name},
                             {"state", step.state},
                             {"stream", step.stream},
                             {"detail", step.refusal.detail}});
        }
    }
    body["steps"] = std::move(steps);
    return json_answer(body);
}

namespace {

/// A view's answer about itself, and how many events it set aside: they are in no lag, for its
/// checkpoint is beyond them.
struct Freshness {
    recount::Served served;
    std::int64_t parked = 0;

    explicit Freshness(auto& view) {
        const auto read = view.query(recount::eventual(), "select count(*) from _parked");
        served = read;
        if (!read.result.empty()) parked = read.result.integer(0, 0);
    }
    [[nodiscard]] std::string_view state() const {
        if (served.generation == 0) return "not started";
        if (!served.stale) return "live";
        return parked > 0 ? "parked" : "stopped";
    }
};

}  // namespace

HttpResponse Site::views() {
    Json rows = Json::array();
    views_.for_each([&](std::string_view name, auto& view) {
        const Freshness fresh{view};
        const recount::Served& served = fresh.served;
        Json row = {{"view", name}, {"version", served.version}};
        row["behind"] = served.lag.events ? Json(*served.lag.events + fresh.parked) : Json(nullptr);
        row["state"] = fresh.state();
        row["reason"] = served.why_stale;
        rows.push_back(std::move(row));
    });
    std::int64_t events = 0;
    for (const auto& head : store_.heads()) events += head.n;
    return json_answer({{"store", store_.identity().name}, {"events", events}, {"views", rows}});
}

HttpResponse Site::ready() {
    std::string missing;
    Json stale = Json::array();  // a stream set aside, or a view stopped, is no reason to close
    views_.for_each([&](std::string_view name, auto& view) {
        const recount::Served served = view.list({.limit = 1});
        if (served.generation == 0 || !served.lag.events) missing = name;
        if (served.stale) stale.push_back({{"view", name}, {"reason", served.why_stale}});
    });
    if (!missing.empty()) return problem(503, "Not Ready", missing + " was never started");
    return json_answer({{"status", "ready"}, {"stale", stale}});
}

HttpResponse Site::products() {
    std::map<std::string, std::int64_t> on_hand;
    const auto read = views_.stock_level.query(
        recount::eventual(), "select sku, on_hand from stock_level where on_hand > 0");
    for (std::size_t i = 0; i < read.result.size(); ++i) {
        on_hand[read.result.text(i, 0)] = read.result.integer(i, 1);
    }
    Json rows = Json::array();
    for (const auto& [sku, product] : catalogue_.products()) {
        rows.push_back({{"sku", sku},
                        {"description", product.description},
                        {"price_mills", product.price_mills},
                        {"on_hand", on_hand[sku]}});
    }
    return json_answer({{"products", rows}});
}

}  // namespace shop
