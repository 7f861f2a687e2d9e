#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "eventstore/postgres/private_server.hpp"
#include "support/eventually.hpp"
#include "support/servers.hpp"
#include "support/tcp_proxy.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Kind = AppendResult::Kind;

/// A server that refuses to write events with an SQLSTATE, so many times. It counts with a
/// sequence, which no rollback takes back.
class ServerThatRefuses : public testing::TestWithParam<const char*> {
protected:
    void refuse(int times) {
        run("drop sequence if exists refusals; create sequence refusals;"
            "create or replace function refuse() returns trigger language plpgsql as $$ begin"
            " if nextval('refusals') <= " +
            std::to_string(times) + " then raise exception 'refused' using errcode = '" +
            GetParam() +
            "'; end if; return new; end $$;"
            "create or replace trigger refuse before insert on event"
            " for each row execute function refuse();");
    }

    void run(const std::string& sql) {
        const auto transaction = database_->begin(SqlMode::write);
        transaction->script(sql);
        transaction->commit();
    }

    std::int64_t attempts() {
        return database_->begin(SqlMode::snapshot)
            ->query("select last_value from refusals")
            .integer(0, 0);
    }

    OwnSchema schema_;
    std::unique_ptr<EventStore> store_ = open_store(schema_.url());
    std::unique_ptr<Database> database_ = Database::open(schema_.url());
};

class ServerThatLosesRaces : public ServerThatRefuses {};

TEST_P(ServerThatLosesRaces, IsAskedAgain) {
    refuse(2);
    const Append append = append_to("cart-1");
    EXPECT_EQ(store_->append(append).kind, Kind::committed);
    EXPECT_EQ(attempts(), 3);
    EXPECT_EQ(store_->append(append).kind, Kind::repeated);
    EXPECT_EQ(version_of(*store_, "cart-1"), 1);
}

TEST_P(ServerThatLosesRaces, IsNotAskedForEver) {
    refuse(1'000'000);
    const Append append = append_to("cart-1");
    try {
        static_cast<void>(store_->append(append));
        ADD_FAILURE() << "it was never written";
    } catch (const Error& error) {
        EXPECT_TRUE(error.retryable()) << error.what();
        EXPECT_THAT(error.what(), HasSubstr(GetParam()));
    }
    EXPECT_LE(attempts(), 10);
    EXPECT_FALSE(store_->find_outcome(append.metadata.command_id));
    refuse(0);
    EXPECT_EQ(store_->append(append).kind, Kind::committed);
    store_->verify_chain();
}

INSTANTIATE_TEST_SUITE_P(States, ServerThatLosesRaces, testing::Values("40001", "40P01"));

class ServerThatCannotWrite : public ServerThatRefuses {};

TEST_P(ServerThatCannotWrite, IsSaidToBeSoAndWritesWhenItCan) {
    refuse(1);
    const Append append = append_to("cart-1", Expected::no_stream(), 3);
    try {
        static_cast<void>(store_->append(append));
        ADD_FAILURE() << "it was not written";
    } catch (const OutcomeUnknown& error) {
        ADD_FAILURE() << "the server said that it did not: " << error.what();
    } catch (const Error& error) {
        EXPECT_TRUE(error.retryable()) << error.what();
        EXPECT_THAT(error.what(), HasSubstr(GetParam()));
    }
    EXPECT_EQ(attempts(), 1);
    EXPECT_EQ(version_of(*store_, "cart-1"), 0);
    EXPECT_EQ(store_->append(append).kind, Kind::committed);
    store_->verify_chain();
}

// A full disk, a statement that was cancelled or took too long, a lock that was not had, a server
// without memory.
INSTANTIATE_TEST_SUITE_P(States, ServerThatCannotWrite,
                         testing::Values("53100", "57014", "55P03", "53200"));

std::string without_schema(const std::string& url) { return url.substr(0, url.find('?')); }

TEST(ServerOfAnotherEncoding, IsRefused) {
    const PrivateServer server;
    std::string url = server.url("shop");
    pqxx::connection connection{without_schema(url)};
    pqxx::nontransaction{connection}.exec(
        "create database latin encoding 'LATIN1' locale 'C' template template0");
    url.replace(url.find("/postgres?"), 10, "/latin?");
    EXPECT_THAT([&] { open_store(url); },
                ThrowsMessage<Mismatch>(AllOf(HasSubstr("LATIN1"), HasSubstr("'UTF8'"))));
}

TEST(StoreThatWasDumpedAndRestoredElsewhere, GoesOnWhereItEndedOnceThatIsDeclared) {
    const PrivateServer here, there;
    const auto original = open_store(here.url("shop"));
    const auto seen = original->append(append_to("cart-1", Expected::any(), 5)).outcome->reached;
    const std::string copy = "pg_dump -n shop " + without_schema(here.url("shop")) +
                             " | psql -q -v ON_ERROR_STOP=1 " + without_schema(there.url("shop")) +
                             " >/dev/null";
    ASSERT_EQ(std::system(copy.c_str()), 0);

    auto store = open_store(there.url("shop"));
    EXPECT_EQ(store->verify_chain(), original->verify_chain());
    EXPECT_THROW(static_cast<void>(store->append(append_to("cart-1"))), Mismatch);
    declare_restored(there.url("shop"));
    store = open_store(there.url("shop"));
    EXPECT_TRUE(still_holds(seen, store->incarnations()));
    EXPECT_EQ(store->append(append_to("cart-1", Expected::exactly({5}))).kind, Kind::committed);
    const LogPage tail = store->read(partition_of("cart-1", 16), 5);
    EXPECT_EQ(tail.events.size(), 1U);
    store->verify_chain();
}

/// A server that waits for a standby which does not exist, and is told to wait no longer: its
/// commits return with a warning.
class StandbyThatIsGone : public testing::Test {
protected:
    void set_standby(const std::string& name) {
        pqxx::nontransaction session{control_};
        session.exec("set synchronous_commit = local");
        session.exec("alter system set synchronous_standby_names = '" + name + "'");
        session.exec("select pg_reload_conf()");
        ASSERT_TRUE(eventually([&] {
            return session.exec1("show synchronous_standby_names")[0].as<std::string>() == name;
        }));
    }

    void cancel_waiting(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            pqxx::nontransaction{other_}.exec(
                "select pg_cancel_backend(pid), pg_sleep(0.01) from pg_stat_activity "
                "where wait_event = 'SyncRep'");
        }
    }

    static bool waits_in_vain(EventStore& store) {
        try {
            static_cast<void>(store.append(append_to("cart-first")));
            return false;
        } catch (const OutcomeUnknown&) {
            return true;
        }
    }

    PrivateServer server_;
    std::string url_ = server_.url("shop");
    pqxx::connection control_{without_schema(url_)}, other_{control_.options()};
};

TEST_F(StandbyThatIsGone, LeavesTheOutcomeOpenUntilItIsBack) {
    const auto store = open_store(url_, {.timeout = std::chrono::seconds{1}});
    static_cast<void>(store->append(append_to("cart-known")));
    set_standby("nobody");
    const Append known = append_to("cart-known"), fresh = append_to("cart-new");
    {
        const std::jthread cancelling{
            [this](const std::stop_token& stop) { cancel_waiting(stop); }};
        // Sessions hear of a setting before commits wait for it.
        ASSERT_TRUE(eventually([&] { return waits_in_vain(*store); }));
        EXPECT_THROW(static_cast<void>(store->append(known)), OutcomeUnknown);
        EXPECT_THROW(static_cast<void>(store->append(fresh)), OutcomeUnknown);
    }
    set_standby("");
    EXPECT_EQ(store->append(known).kind, Kind::repeated);
    EXPECT_EQ(store->append(fresh).kind, Kind::repeated);
    EXPECT_EQ(version_of(*store, "cart-known"), 2);
    EXPECT_EQ(version_of(*store, "cart-new"), 1);
    store->verify_chain();
}

/// Whatever it waits for.
bool closes(std::unique_ptr<EventStore> store) {
    std::atomic<bool> closed = false;
    std::jthread closing{[&] {
        store.reset();
        closed = true;
    }};
    return eventually([&] { return closed.load(); });
}

TEST(AServerThatNeverAnswersListen, KeepsNobodyFromClosingAStore) {
    TcpProxy proxy{port_of(postgres_url())};
    auto store = open_store(proxy.url_through(postgres_url_with_own_schema()) +
                            "&sslmode=disable&gssencmode=disable");
    proxy.harm("LISTEN", TcpProxy::Harm::swallow_reply);
    EXPECT_FALSE(store->wait(Positions{16}, std::chrono::milliseconds{100}));
    ASSERT_TRUE(eventually([&] { return proxy.harmed() == 1; }));
    EXPECT_TRUE(closes(std::move(store)));
}

/// Connected, but it answers nothing, as when its disk hangs.
TEST(ASilentServer, KeepsNobodyFromClosingAStore) {
    const PrivateServer server;
    auto store = open_store(server.url("silent"));
    // From now on it listens.
    EXPECT_FALSE(store->wait(Positions{16}, std::chrono::milliseconds{200}));
    pqxx::connection connection{server.database()};
    pid_t listening = 0;
    ASSERT_TRUE(eventually([&] {
        pqxx::work look{connection};
        const auto found =
            look.exec("select pid from pg_stat_activity where query ilike 'listen %'");
        if (!found.empty()) listening = found[0][0].as<int>();
        return !found.empty();
    }));
    ASSERT_EQ(kill(listening, SIGSTOP), 0);
    EXPECT_TRUE(closes(std::move(store)));
    kill(listening, SIGCONT);
}

}  // namespace
}  // namespace recount::test
