#include "eventstore/postgres/callers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_proxy.hpp"

#include <recount/core/ids.hpp>

#include <thread>

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;

/// What a caller may do wrong, or have set otherwise.
class CallersTransactionOf : public ServiceWithTables {
protected:
    void expect_untouched_by(pqxx::transaction_base& transaction, EventStore& store) {
        EXPECT_THROW(static_cast<void>(append_and_commit(transaction, store, append_to("order-1"))),
                     InvalidArgument);
    }
};

TEST_F(CallersTransactionOf, ASecondAppendIsRefusedBeforeAnyStatement) {
    TcpProxy proxy{port_of(postgres_url())};
    const auto connection = connect(proxy.url_through(postgres_url()));
    pqxx::work transaction{*connection};
    insert_order(transaction, "1");
    EXPECT_EQ(append_and_commit(transaction, *store_, append_to("order-1")).kind, Kind::committed);
    proxy.harm("", TcpProxy::Harm::cut_before);  // any statement
    expect_untouched_by(transaction, *store_);
    EXPECT_EQ(proxy.harmed(), 0);
    expect(1, "order-1", 1);
}

TEST_F(CallersTransactionOf, KindsWhoseCommitCommitsNothingAreRefused) {
    {
        pqxx::nontransaction none{*connection_};
        expect_untouched_by(none, *store_);
    }
    pqxx::work whole{*connection_};
    {
        pqxx::subtransaction part{whole};
        expect_untouched_by(part, *store_);
    }
    insert_order(whole, "1");
    EXPECT_EQ(append_and_commit(whole, *store_, append_to("order-1")).kind, Kind::committed);
    expect(1, "order-1", 1);
}

TEST_F(CallersTransactionOf, WhatCannotBeLeavesTheTransactionAsItWas) {
    pqxx::work transaction{*connection_};
    insert_order(transaction, "1");
    expect_untouched_by(transaction, *open_store("memory:"));
    expect_untouched_by(transaction, *open_store(schema_.url(), {.read_only = true}));
    Append nameless = append_to("order-1");
    nameless.metadata.command_id.clear();
    EXPECT_THROW(static_cast<void>(append_and_commit(transaction, *store_, nameless)),
                 InvalidArgument);
    EXPECT_EQ(append_and_commit(transaction, *store_, append_to("order-1")).kind, Kind::committed);
    expect(1, "order-1", 1);
}

TEST_F(CallersTransactionOf, AnotherDatabaseIsRefused) {
    const std::string name = unique_name("test_");
    pqxx::nontransaction{*connection_}.exec("create database " + name);
    const std::string url = postgres_url().substr(0, postgres_url().rfind('/') + 1) + name;
    const auto refuse = [&] {
        pqxx::connection elsewhere{url};
        pqxx::work transaction{elsewhere};
        transaction.exec("create table rows (id text)");
        EXPECT_THROW(
            static_cast<void>(append_and_commit(transaction, *store_, append_to("order-1"))),
            Mismatch);
        EXPECT_THROW(transaction.exec("select 1"), pqxx::usage_error) << "it has ended";
    };
    refuse();
    const std::string same_schema = url + "?schema=" + schema_.name();
    open_store(same_schema);
    refuse();
    {
        // A copy of the store, as from a dump: the same id on the same server.
        pqxx::connection elsewhere{url};
        pqxx::work copy{elsewhere};
        copy.exec("update " + schema_.name() + ".store set id = " +
                  copy.quote(pqxx::binarystring{std::string{store_->identity().id.view()}}));
        copy.commit();
    }
    ASSERT_EQ(open_store(same_schema)->identity().id, store_->identity().id);
    refuse();
    EXPECT_EQ(open_store(same_schema)->read_stream(StreamName::parse("order-1")).head, Version{0});
    expect(0, "order-1", 0);
    pqxx::nontransaction{*connection_}.exec("drop database " + name);
}

TEST_F(CallersTransactionOf, AnotherStoreInThePlaceOfTheOneThatWasOpenedIsRefused) {
    pqxx::nontransaction{*connection_}.exec("drop schema " + schema_.name() + " cascade");
    const auto another = open_store(schema_.url());
    EXPECT_THROW(static_cast<void>(place(*connection_, append_to("order-1"), "never")), Mismatch);
    EXPECT_EQ(orders(), 0);
    EXPECT_EQ(version_of(*another, "order-1"), 0);
}

TEST_F(CallersTransactionOf, AStoreThatWasRestoredIsRefused) {
    EXPECT_EQ(place(*connection_, append_to("order-1"), "1").kind, Kind::committed);
    pqxx::work restore{*connection_};
    restore.exec("update " + schema_.name() + ".incarnation set timeline = timeline + 7");
    restore.commit();
    EXPECT_THROW(static_cast<void>(place(*connection_, append_to("order-1"), "never")), Mismatch);
    expect(1, "order-1", 1);
}

TEST_F(CallersTransactionOf, ATransactionThatIsInUseIsLeftAsItWas) {
    pqxx::work transaction{*connection_};
    insert_order(transaction, "1");
    {
        pqxx::pipeline queries{transaction};
        queries.insert("select 1");
        expect_untouched_by(transaction, *store_);
        queries.complete();
    }
    EXPECT_EQ(append_and_commit(transaction, *store_, append_to("order-1")).kind, Kind::committed);
    expect(1, "order-1", 1);
}

TEST_F(CallersTransactionOf, ASessionWithSettingsOfItsOwnKeepsThem) {
    const auto in_store = schema_.name() + ".";
    {
        pqxx::work set_up{*connection_};
        set_up.exec("create table seen (setting text)");
        set_up.exec(
            "create function note() returns trigger language plpgsql as $$ begin "
            "insert into " +
            tables_.name() +
            ".seen select current_setting(name) from "
            "unnest(array['synchronous_commit', 'idle_in_transaction_session_timeout', "
            "'lock_timeout', 'client_encoding']) name; return null; end $$");
        set_up.exec("create trigger note after insert on " + in_store +
                    "event for each statement execute function note()");
        set_up.commit();
    }
    const std::string settings =
        "select concat_ws(' ', current_setting('search_path'), "
        "current_setting('synchronous_commit'), current_setting('bytea_output'), "
        "current_setting('client_encoding'), current_setting('standard_conforming_strings'), "
        "current_setting('idle_in_transaction_session_timeout'))";
    pqxx::nontransaction{*connection_}.exec(
        "set synchronous_commit = off; set bytea_output = escape; set client_encoding = latin1; "
        "set standard_conforming_strings = off; create temporary table partition (x integer); "
        "create temporary table event (x integer); create temporary table store (x integer); "
        "set search_path = pg_temp, " +
        tables_.name());
    const auto before = pqxx::nontransaction{*connection_}.exec1(settings)[0].as<std::string>();
    EXPECT_EQ(place(*connection_, append_to("order-größe"), "1").kind, Kind::committed);
    EXPECT_EQ(pqxx::nontransaction{*connection_}.exec1(settings)[0].as<std::string>(), before);
    expect(1, "order-größe", 1);

    pqxx::work look{*connection_};
    const auto seen = look.exec1("select string_agg(setting, ' ') from seen")[0].as<std::string>();
    EXPECT_EQ(seen, "on 2s 10s UTF8");
}

TEST_F(CallersTransactionOf, AStricterIsolationHasToBeRunAgain) {
    pqxx::transaction<pqxx::repeatable_read> transaction{*connection_};
    insert_order(transaction, "1");
    static_cast<void>(store_->append(append_to("order-1")));
    EXPECT_THROW(static_cast<void>(append_and_commit(transaction, *store_, append_to("order-1"))),
                 Contended);
    expect(0, "order-1", 1);
    pqxx::transaction<pqxx::serializable> again{*connection_};
    insert_order(again, "1");
    EXPECT_EQ(append_and_commit(again, *store_, append_to("order-1")).kind, Kind::committed);
}

TEST_F(CallersTransactionOf, ACommandThatRunsAtTheSameMomentIsRunAgain) {
    const Append append = append_to("order-1");
    CommandOutcome claim;
    claim.command_id = append.metadata.command_id;
    claim.kind = CommandOutcome::Kind::voided;
    claim.reached.store = store_->identity().id;
    const auto other_connection = connect(schema_.url().substr(0, schema_.url().find('?')));
    pqxx::work other{*other_connection};
    other.exec_params("insert into " + schema_.name() + ".outcome values ($1, 4, 0, $2)",
                      claim.command_id, pqxx::binarystring{encode(claim)});
    {
        std::jthread placing{[&] {
            EXPECT_THROW(static_cast<void>(place(*connection_, append, "never")), Contended);
        }};
        // It waits for the other's key.
        EXPECT_TRUE(eventually([&] {
            return !other
                        .exec(
                            "select 1 from pg_locks where not granted and "
                            "locktype = 'transactionid'")
                        .empty();
        }));
        other.commit();
    }
    EXPECT_EQ(place(*connection_, append, "never").kind, Kind::repeated);
    expect(0, "order-1", 0);
}

}  // namespace
}  // namespace recount::test
