// The service of before.cpp, when others hear of its orders: each is an event in the log of a store
// in the same database, committed with the order's rows, and a relay takes the log to Kafka.

#include <recount/eventstore/postgres.hpp>
#include <recount/outbox.hpp>

#include <pqxx/pqxx>

#include <iostream>
#include <string>
#include <thread>

#include "orders.pb.h"

namespace {

struct Order {
    std::string id, customer, sku;
    int quantity;
};

void create_tables(pqxx::connection& connection) {
    pqxx::work transaction{connection};
    transaction.exec(
        "create table if not exists stock (sku text primary key, on_hand integer not null);"
        "create table if not exists orders (id text primary key, customer text not null, "
        "sku text not null references stock, quantity integer not null);"
        "insert into stock values ('mug', 100000), ('bowl', 100000) on conflict do nothing");
    transaction.commit();
}

// [place]
/// Notes the order and takes its goods from the shelf, or neither: not twice, and not when they
/// are sold out.
bool place(pqxx::connection& connection, recount::EventStore& store, const Order& order) {
    pqxx::work transaction{connection};
    const auto noted =
        transaction.exec_params("insert into orders values ($1, $2, $3, $4) on conflict do nothing",
                                order.id, order.customer, order.sku, order.quantity);
    if (noted.affected_rows() == 0) return false;
    const auto taken = transaction.exec_params(
        "update stock set on_hand = on_hand - $2 where sku = $1 and on_hand >= $2", order.sku,
        order.quantity);
    if (taken.affected_rows() == 0) return false;
    orders::OrderPlaced placed;
    placed.set_order_id(order.id);
    placed.set_sku(order.sku);
    placed.set_quantity(order.quantity);
    return committed(recount::append_and_commit(transaction, store, {"customer", order.customer},
                                                {.command_id = "order-" + order.id + "/place"},
                                                placed));
}
// [place]

Order incoming(int number) {
    return {std::to_string(number), number % 3 == 0 ? "ada" : "bob",
            number % 2 == 0 ? "mug" : "bowl", 1 + number % 4};
}

void serve(char** arguments) {
    pqxx::connection connection{arguments[1]};
    create_tables(connection);
    // [relay]
    const auto store = recount::open_store(arguments[1] + std::string{"?schema=order_log"});
    recount::Relay relay{
        *store, {.topic = {.brokers = arguments[3], .name = arguments[4]}, .create_topics = true}};
    std::jthread relaying{[&](std::stop_token stop) { relay.run(std::move(stop)); }};
    // [relay]
    int placed = 0;
    for (int number = 1; number <= std::stoi(arguments[2]); ++number) {
        if (place(connection, *store, incoming(number))) ++placed;
    }
    std::cout << "placed " << placed << " orders\n";
    relaying = {};     // a service that goes on needs neither this
    relay.catch_up();  // nor this: its relay works on
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc < 5)
            throw std::runtime_error("usage: outbox_after DATABASE_URL ORDERS KAFKA TOPIC");
        serve(argv);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
