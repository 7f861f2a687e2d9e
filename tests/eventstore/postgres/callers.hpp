#pragma once

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>
#include <recount/eventstore.hpp>
#include <recount/eventstore/postgres.hpp>

#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"

#include <memory>
#include <string>

namespace recount::test {

/// A service with a table of its own, `orders`, in the database of a store. Its schema is found by
/// the connection's search path.
class ServiceWithTables : public testing::Test {
protected:
    ServiceWithTables() {
        pqxx::connection connection{postgres_url()};
        pqxx::work set_up{connection};
        set_up.exec("create schema " + tables_.name());
        set_up.exec("create table " + tables_.name() +
                    ".orders (id text primary key, customer text not null default 'ada')");
        set_up.commit();
    }

    [[nodiscard]] std::unique_ptr<pqxx::connection> connect(const std::string& url) const {
        auto connection = std::make_unique<pqxx::connection>(url);
        pqxx::nontransaction session{*connection};
        session.exec("set search_path = " + tables_.name());
        return connection;
    }

    static void insert_order(pqxx::transaction_base& transaction, const std::string& id) {
        transaction.exec_params("insert into orders (id) values ($1)", id);
    }

    /// What such a service does: its row and an event, in a transaction of its own.
    AppendResult place(pqxx::connection& connection, const Append& append, const std::string& id) {
        pqxx::work transaction{connection};
        insert_order(transaction, id);
        return append_and_commit(transaction, *store_, append);
    }

    std::int64_t orders() {
        pqxx::work look{*connection_};
        return look.exec1("select count(*) from orders")[0].as<std::int64_t>();
    }

    void expect(std::int64_t orders_there, const std::string& stream, std::int64_t version) {
        EXPECT_EQ(orders(), orders_there);
        EXPECT_EQ(version_of(*store_, stream), version);
        store_->verify_chain();
    }

    OwnSchema schema_, tables_;
    std::unique_ptr<EventStore> store_ = open_store(schema_.url());
    std::unique_ptr<pqxx::connection> connection_ = connect(postgres_url());
};

}  // namespace recount::test
