#include <gtest/gtest.h>
#include <recount/eventstore.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "replayed.hpp"
#include "shop_program.hpp"
#include "support/servers.hpp"

namespace shop {
namespace {

using namespace std::chrono_literals;
using test::ShopProgram;

/// The shop as `./dev shop --distributed` runs it: store and views in PostgreSQL, the log in Kafka,
/// each part a process.
class DistributedShop : public testing::Test {
protected:
    ~DistributedShop() override { parts.clear(); }

    void start(const std::string& part) {
        const std::map<std::string, std::vector<std::string>> arguments{
            {"sagas", {"sagas", "--store", store_url}},
            {"relay", {"relay", "--store", store_url, "--kafka", brokers, "--name", topic}},
            {"project",
             {"project", "--views", views_url, "--store", store_url, "--kafka", brokers, "--name",
              topic}},
            {"replay",
             {"replay", "--elsewhere", "--store", store_url, "--views", views_url, "--data",
              data}}};
        const auto place = folder / (part + "-" + std::to_string(started++));
        std::filesystem::create_directory(place);
        parts[part] = std::make_unique<ShopProgram>(arguments.at(part), place);
    }
    /// 0 as long as there is no store.
    std::int64_t events() {
        std::int64_t all = 0;
        try {
            const auto store = recount::open_store(store_url, {.create = false, .read_only = true});
            for (const auto& head : store->heads()) all += head.n;
        } catch (const recount::Error&) {
        }
        return all;
    }
    void wait_for_events(std::int64_t wanted) {
        while (events() < wanted && !parts["replay"]->ended()) {
            recount::Environment::system().scheduler.sleep(20ms);
        }
    }

    test::TemporaryFolder folder;
    std::string data = test::first_rows(folder / "rows.csv", 500);
    std::string store_url = recount::test::postgres_url_with_own_schema();
    std::string views_url = store_url + "_views";
    std::string brokers = recount::test::kafka_brokers();
    std::string topic = recount::test::unique_name("shop-");
    int started = 0;
    std::map<std::string, std::unique_ptr<ShopProgram>> parts;
};

TEST_F(DistributedShop, GivesTheTotalsOfItsFileThoughEachPartIsKilledOnce) {
    for (const char* part : {"sagas", "relay", "project", "replay"}) start(part);
    std::int64_t wanted = 0;
    for (const char* part : {"relay", "project", "replay", "sagas"}) {
        wait_for_events(wanted += 200);
        parts[part]->signal(SIGKILL);
        parts[part]->wait();
        start(part);
    }
    ASSERT_EQ(parts["replay"]->wait(), 0) << parts["replay"]->error();
    const auto store = recount::open_store(store_url, {.create = false, .read_only = true});
    ShopViews views{*store, views_url};
    test::expect_totals(views, validate(data));
    for (const char* part : {"sagas", "relay", "project"}) {
        EXPECT_FALSE(parts[part]->ended()) << part << ": " << parts[part]->error();
        parts[part]->signal(SIGTERM);
        EXPECT_EQ(parts[part]->wait(), 0) << part << ": " << parts[part]->error();
    }
}

}  // namespace
}  // namespace shop
