// A service as there are many: orders and stock in tables of PostgreSQL, through libpqxx. Nobody
// else hears of an order. after.cpp is the same service when everybody does.

#include <pqxx/pqxx>

#include <iostream>
#include <string>

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

/// Notes the order and takes its goods from the shelf, or neither: not twice, and not when they
/// are sold out.
bool place(pqxx::connection& connection, const Order& order) {
    pqxx::work transaction{connection};
    const auto noted =
        transaction.exec_params("insert into orders values ($1, $2, $3, $4) on conflict do nothing",
                                order.id, order.customer, order.sku, order.quantity);
    if (noted.affected_rows() == 0) return false;
    const auto taken = transaction.exec_params(
        "update stock set on_hand = on_hand - $2 where sku = $1 and on_hand >= $2", order.sku,
        order.quantity);
    if (taken.affected_rows() == 0) return false;
    transaction.commit();
    return true;
}

Order incoming(int number) {
    return {std::to_string(number), number % 3 == 0 ? "ada" : "bob",
            number % 2 == 0 ? "mug" : "bowl", 1 + number % 4};
}

void serve(char** arguments) {
    pqxx::connection connection{arguments[1]};
    create_tables(connection);
    int placed = 0;
    for (int number = 1; number <= std::stoi(arguments[2]); ++number) {
        if (place(connection, incoming(number))) ++placed;
    }
    std::cout << "placed " << placed << " orders\n";
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc < 3) throw std::runtime_error("usage: outbox_before DATABASE_URL ORDERS");
        serve(argv);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
