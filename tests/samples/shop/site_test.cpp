#include "site.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <recount/eventstore.hpp>
#include <recount/projections.hpp>
#include <recount/saga.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "engines.hpp"
#include "shop_views.hpp"
#include "temporary_file.hpp"

namespace shop {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A shop with two products, views told by a thread of their own as in the program.
class OpenShop : public testing::Test {
protected:
    OpenShop() {
        test::write_file(folder / "rows.csv",
                         "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,"
                         "CustomerID,Country\n"
                         "536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
                         "536365,71053,LANTERN,6,2010-12-01 08:26:00,3.39,17850,United Kingdom\n"
                         "536365,POST,POSTAGE,1,2010-12-01 08:26:00,18,17850,United Kingdom\n");
        site = std::make_unique<Site>(*store, shop, views, Catalogue{folder / "rows.csv"});
        add_sagas(sagas, shop);
        receive("85123A", 5);
    }
    void receive(const std::string& sku, std::int64_t units) {
        ReceiveStock command;
        command.set_sku(sku);
        command.set_units(units);
        static_cast<void>(shop.stock.handle(sku, command));
    }
    HttpResponse get(const std::string& path, const std::string& token = {}) {
        HttpRequest request{.method = "GET", .path = path};
        if (!token.empty()) request.headers["recount-session"] = token;
        return site->answer(request);
    }
    HttpResponse post(const std::string& path, const std::string& body,
                      const std::string& key = "\"k1\"") {
        HttpRequest request{.method = "POST", .path = path, .body = body};
        request.headers["content-type"] = "application/json";
        if (!key.empty()) request.headers["idempotency-key"] = key;
        return site->answer(request);
    }
    static std::string header(const HttpResponse& response, const std::string& name) {
        for (const auto& [key, value] : response.headers) {
            if (key == name) return value;
        }
        return {};
    }
    Json order(const std::string& id) {
        sagas.catch_up();
        projector.catch_up();
        return Json::parse(get("/api/orders/" + id).body);
    }

    test::TemporaryFolder folder;
    std::unique_ptr<recount::EventStore> store =
        recount::open_store("sqlite:" + (folder / "shop.db").string());
    Repositories shop{*store};
    ShopProjector projector{*store};
    recount::SagaEngine sagas{*store};
    ShopViews views{*store};
    std::unique_ptr<Site> site;
    const std::string hearts = R"({"sku": "85123A", "quantity": 2})";
};

TEST_F(OpenShop, ShowsAnItemToWhoeverJustAddedIt) {
    const std::jthread projecting{[this](std::stop_token stop) { projector.run(stop); }};
    for (int item = 1; item <= 20; ++item) {
        const HttpResponse added =
            post("/api/carts/1/items", hearts, "key-" + std::to_string(item));
        ASSERT_EQ(added.status, 200) << added.body;
        EXPECT_EQ(Json::parse(added.body)["items"], 2 * item);
        EXPECT_EQ(Json::parse(added.body)["total_mills"], 2 * item * 2'550);
    }
}

TEST_F(OpenShop, SaysSoWhenAViewCannotShowWhatWasJustAdded) {
    const HttpResponse added = post("/api/carts/1/items", hearts);
    EXPECT_EQ(added.status, 503);  // nobody tells the views
    EXPECT_THAT(header(added, "Set-Cookie"), HasSubstr(header(added, "Recount-Session")));
    // Added it was: whoever looks next is not told that the cart is empty.
    EXPECT_EQ(get("/api/carts/1", header(added, "Recount-Session")).status, 503);
    projector.catch_up();
    const HttpResponse again = post("/api/carts/1/items", hearts);
    EXPECT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(Json::parse(again.body)["items"], 2);  // added once
}

TEST_F(OpenShop, RemembersAVisitorByTheirToken) {
    const std::jthread projecting{[this](std::stop_token stop) { projector.run(stop); }};
    const HttpResponse added = post("/api/carts/1/items", hearts);
    const std::string token = header(added, "Recount-Session");
    ASSERT_FALSE(token.empty());
    EXPECT_THAT(header(added, "Set-Cookie"), HasSubstr("HttpOnly; SameSite=Strict"));
    EXPECT_EQ(Json::parse(get("/api/carts/1", token).body)["items"], 2);
    EXPECT_EQ(get("/api/carts/1", "forged").status, 200);  // a stranger: no promise, no error
}

TEST_F(OpenShop, RemembersWhatWasWrittenBeforeARefusal) {
    const std::jthread projecting{[this](std::stop_token stop) { projector.run(stop); }};
    ASSERT_EQ(post("/api/carts/1/items", hearts).status, 200);
    PlaceOrder taken;  // somebody else's order has the id that this cart's would have
    taken.set_order_id("web-1");
    *taken.add_lines() = [] {
        Line line;
        line.set_sku("71053");
        line.set_quantity(1);
        return line;
    }();
    static_cast<void>(shop.orders.handle("web-1", taken));
    const HttpResponse refused = post("/api/carts/1/check-out", "{}", "k2");
    EXPECT_EQ(refused.status, 409) << refused.body;  // but the cart is closed
    const std::string token = header(refused, "Recount-Session");
    ASSERT_FALSE(token.empty());
    EXPECT_EQ(Json::parse(get("/api/carts/1", token).body)["items"], 0);
}

TEST_F(OpenShop, ShowsTheOrderOfTheCartWithTheLongestId) {
    const std::jthread projecting{[this](std::stop_token stop) { projector.run(stop); }};
    const std::string cart(64, 'x');
    ASSERT_EQ(post("/api/carts/" + cart + "/items", hearts).status, 200);
    const HttpResponse placed = post("/api/carts/" + cart + "/check-out", "{}", "k2");
    ASSERT_EQ(placed.status, 201) << placed.body;
    const std::string id = Json::parse(placed.body)["order_id"];
    EXPECT_EQ(get("/api/orders/" + id).status, 200);
    EXPECT_EQ(post("/api/carts/" + cart + "x/items", hearts).status, 404);
}

TEST_F(OpenShop, AddsOnceWhatIsSentTwice) {
    const std::jthread projecting{[this](std::stop_token stop) { projector.run(stop); }};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(Json::parse(post("/api/carts/1/items", hearts).body)["items"], 2);
    }
    EXPECT_EQ(Json::parse(post("/api/carts/1/items", hearts, "k1").body)["items"], 2);  // unquoted
    EXPECT_EQ(post("/api/carts/1/items", R"({"sku": "85123A", "quantity": 3})").status, 422);
}

TEST_F(OpenShop, RefusesWhatItCannotTake) {
    EXPECT_EQ(post("/api/carts/1/items", hearts, "").status, 400);
    EXPECT_EQ(post("/api/carts/1/items", "nonsense").status, 400);
    EXPECT_EQ(post("/api/carts/1/items", R"({"sku": "85123A"})").status, 400);
    EXPECT_EQ(post("/api/carts/1/items", R"({"sku": "85123A", "quantity": 0})").status, 409);
    EXPECT_EQ(post("/api/carts/1/items", R"({"sku": "POST", "quantity": 1})", "k2").status, 404);
    EXPECT_EQ(post("/api/carts/2/check-out", "{}").status, 409);
    EXPECT_EQ(post("/api/nothing", "{}").status, 404);
    EXPECT_EQ(get("/nothing").status, 404);
    EXPECT_EQ(get("/api/stock").status, 200);
    HttpRequest request{.method = "DELETE", .path = "/"};
    EXPECT_EQ(site->answer(request).status, 405);
    request = {.method = "POST", .path = "/api/carts/1/items", .body = hearts};
    request.headers["idempotency-key"] = "k";
    EXPECT_EQ(site->answer(request).status, 415);
    EXPECT_EQ(get("/nothing").content_type, "application/problem+json");
}

TEST_F(OpenShop, SellsWhatIsThere) {
    const std::jthread projecting{[this](std::stop_token stop) { projector.run(stop); }};
    ASSERT_EQ(post("/api/carts/1/items", hearts).status, 200);
    const HttpResponse placed = post("/api/carts/1/check-out", "{}", "k2");
    ASSERT_EQ(placed.status, 201) << placed.body;
    EXPECT_EQ(post("/api/carts/1/check-out", "{}", "k2").status, 201);  // the same again
    EXPECT_EQ(post("/api/carts/1/items", hearts, "k3").status, 409);    // closed
    const Json sold = order("web-1");
    EXPECT_EQ(sold["status"], "confirmed");
    EXPECT_EQ(sold["saga"], "completed");
    EXPECT_EQ(sold["mills"], 2 * 2'550);
    EXPECT_EQ(sold["steps"].size(), 3U);
    EXPECT_EQ(shop.stock.load("85123A").state.on_hand, 3);
    EXPECT_EQ(shop.payments.load("web-1").state.charged, 2 * 2'550);
}

TEST_F(OpenShop, TakesBackAnOrderItCannotFulfil) {
    const std::jthread projecting{[this](std::stop_token stop) { projector.run(stop); }};
    ASSERT_EQ(post("/api/carts/1/items", hearts).status, 200);
    ASSERT_EQ(post("/api/carts/1/items", R"({"sku": "71053", "quantity": 1})", "k2").status, 200);
    ASSERT_EQ(post("/api/carts/1/check-out", "{}", "k3").status, 201);
    const Json cancelled = order("web-1");
    EXPECT_EQ(cancelled["status"], "cancelled");
    EXPECT_EQ(cancelled["saga"], "compensated");
    EXPECT_EQ(shop.stock.load("85123A").state.on_hand, 5);  // nothing held
    EXPECT_TRUE(shop.stock.load("85123A").state.reserved.empty());
    EXPECT_EQ(shop.payments.load("web-1").state.charged, 0);  // nothing charged
    const Json sales = Json::parse(get("/api/sales").body);
    EXPECT_EQ(sales["total_mills"], 0);
    EXPECT_EQ(sales["total_units"], 0);
}

TEST_F(OpenShop, AnswersThePageAndOperators) {
    projector.catch_up();
    EXPECT_EQ(get("/readyz").status, 200);
    EXPECT_EQ(get("/livez").status, 200);
    EXPECT_EQ(get("/metrics").status, 200);
    const HttpResponse page = get("/");
    EXPECT_THAT(page.body, StartsWith("<!doctype html>"));
    EXPECT_THAT(page.body, testing::Not(HasSubstr("@STYLE@")));
    for (const char* outside : {"src=\"http", "href=\"http", "url(http", "@import"}) {
        EXPECT_THAT(page.body, testing::Not(HasSubstr(outside)));
    }
    const Json told = Json::parse(get("/api/views").body);
    EXPECT_EQ(told["views"].size(), 6U);
    for (const Json& view : told["views"]) EXPECT_EQ(view["behind"], 0) << view;
    EXPECT_EQ(Json::parse(get("/api/products").body)["products"].size(), 2U);
    EXPECT_EQ(Json::parse(get("/api/stock").body)["stock"][0]["on_hand"], 5);
}

TEST_F(OpenShop, TellsOfEventsThatAViewSetAside) {
    projector.catch_up();
    const auto infos = recount::list_views(*store);
    const auto stock = std::find_if(infos.begin(), infos.end(), [](const recount::ViewInfo& info) {
        return info.view == "stock_level";
    });
    ASSERT_NE(stock, infos.end());
    {
        const auto database = recount::Database::open("sqlite:" + stock->place, {});
        const auto sql = database->begin(recount::SqlMode::write);
        sql->exec(
            "insert into _parked (partition, position, stream, type, error, parked_at) "
            "values (0, 1, 'stock-x', 'shop.StockReceived', 'failed', 0)");
        sql->commit();
    }
    const Json told = Json::parse(get("/api/views").body);
    for (const Json& view : told["views"]) {
        const bool parked = view["view"] == "stock_level";
        EXPECT_EQ(view["behind"], parked ? 1 : 0) << view;
        EXPECT_EQ(view["state"], parked ? "parked" : "live") << view;
        EXPECT_EQ(view["reason"].get<std::string>().empty(), !parked) << view;
    }
    const HttpResponse ready = get("/readyz");
    EXPECT_EQ(ready.status, 200) << "the rest of the shop goes on";
    EXPECT_THAT(Json::parse(ready.body)["stale"].dump(), HasSubstr("stock_level"));
}

TEST_F(OpenShop, IsNotReadyBeforeItsViewsAreTold) {
    ShopViews untold{*store, "sqlite:" + (folder / "untold.db").string()};
    Site other{*store, shop, untold, {}};
    EXPECT_EQ(other.answer({.method = "GET", .path = "/readyz"}).status, 503);
    EXPECT_EQ(other.answer({.method = "GET", .path = "/livez"}).status, 200);
}

}  // namespace
}  // namespace shop
