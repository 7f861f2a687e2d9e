// The sample as a program: killed at any moment and started again, every order's row has one event.

#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <map>

#include "outbox/child.hpp"
#include "outbox/kit.hpp"
#include "samples/outbox/own_database.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

struct OrdersOfTheSample : testing::Test {
    OwnDatabase database;
    KafkaTopic topic = own_topic();

    std::unique_ptr<Child> start(int orders) const {
        return std::make_unique<Child>(std::vector<std::string>{
            OUTBOX_AFTER, database.url(), std::to_string(orders), topic.brokers, topic.name});
    }
    [[nodiscard]] std::unique_ptr<EventStore> open_log() const {
        return open_store(database.url() + "?schema=order_log", {.create = false});
    }
    /// The orders of each customer, as their rows say.
    [[nodiscard]] std::map<std::string, std::vector<int>> in_tables() const {
        pqxx::connection connection{database.url()};
        pqxx::work look{connection};
        std::map<std::string, std::vector<int>> orders;
        for (const auto& row : look.exec("select customer, id from orders order by id::integer")) {
            orders["customer-" + row[0].as<std::string>()].push_back(row[1].as<int>());
        }
        return orders;
    }
    [[nodiscard]] std::int64_t missing_from_stock() const {
        pqxx::connection connection{database.url()};
        pqxx::work look{connection};
        return look
            .exec1(
                "select (select sum(100000 - on_hand) from stock) - "
                "(select sum(quantity) from orders)")[0]
            .as<std::int64_t>();
    }
};

TEST_F(OrdersOfTheSample, HaveOneEventEachInOrderHoweverOftenTheServiceIsKilled) {
    constexpr int count = 3000;
    constexpr int most_rounds = 100;
    int kills = 0;
    const auto all_there = [&] {
        std::size_t rows = 0;
        for (const auto& [customer, orders] : in_tables()) rows += orders.size();
        return rows == count && differences(*open_log(), topic).empty();
    };
    for (int round = 0;; ++round) {
        ASSERT_LT(round, most_rounds);
        auto service = start(count);
        // At any moment of its life: while it starts, places, publishes; later each time.
        const auto life = std::chrono::milliseconds{
            100 + 60 * round + static_cast<int>(Environment::system().random.next() % 200)};
        if (eventually([&] { return !service->running(); }, life)) {
            // It ended by itself: all done, or the lease of the one before was not over yet.
            if (all_there()) break;
            continue;
        }
        service->kill();
        ++kills;
    }
    EXPECT_GE(kills, 3);
    RecordProperty("kills", kills);

    std::map<std::string, std::vector<int>> published;
    KafkaLog log{{.topic = topic}};
    for (const auto& partition : read_all(log)) {
        for (const RecordedEvent& event : partition) {
            // Its command id is order-<id>/place.
            published[event.at.stream.full()].push_back(std::stoi(event.at.append_id.substr(6)));
        }
    }
    // Each once, and a customer's orders as they were placed.
    EXPECT_EQ(published, in_tables());
    EXPECT_EQ(missing_from_stock(), 0);
    open_log()->verify_chain();
}

TEST_F(OrdersOfTheSample, AreNotPlacedAgainByAnotherRun) {
    for (int run = 0; run < 2; ++run) {
        auto service = start(20);
        ASSERT_TRUE(eventually([&] { return !service->running(); }));
    }
    EXPECT_EQ(differences(*open_log(), topic), "");
    std::int64_t events = 0;
    for (const LogHead& head : open_log()->heads()) events += head.n;
    EXPECT_EQ(events, 20);
}

}  // namespace
}  // namespace recount::test
