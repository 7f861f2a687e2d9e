#include "eventstore/postgres/callers.hpp"
#include "eventstore/postgres/private_server.hpp"
#include "support/eventually.hpp"
#include "support/tcp_proxy.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

namespace recount::test {
namespace {

using Harm = TcpProxy::Harm;
using Kind = AppendResult::Kind;

/// The service reaches its database through a proxy that does harm; the store is reached straight.
class ServiceBehindAFault : public ServiceWithTables {
protected:
    std::unique_ptr<pqxx::connection> connect_through() {
        return connect(proxy_.url_through(postgres_url()));
    }

    TcpProxy proxy_{port_of(postgres_url())};
    std::unique_ptr<pqxx::connection> through_ = connect_through();
};

/// A store that is put back, as from a backup, to what it was two events before.
class ServiceOfARestoredStore : public ServiceWithTables {
protected:
    void lose_two_events() {
        const auto database = Database::open(schema_.url());
        const auto transaction = database->begin(SqlMode::write);
        transaction->script(
            "delete from event where version > 3; update stream set version = 3;"
            "delete from outcome;"
            "update partition p set position = e.position, hash = e.hash from event e"
            " where e.version = 3 and p.partition = e.partition;");
        transaction->commit();
    }
    void appends_nothing() {
        lose_two_events();
        for (const Expected& expected : {Expected::any(), Expected::exactly(Version{5})}) {
            EXPECT_THROW(
                static_cast<void>(place(*connection_, append_to("order-1", expected), "lost")),
                Divergence);
        }
        expect(0, "order-1", 3);
    }
    const Append five_ = append_to("order-1", Expected::no_stream(), 5);
};

TEST_F(ServiceOfARestoredStore, AppendsNothingToWhatItSawEndFurtherOn) {
    static_cast<void>(store_->append(five_));
    appends_nothing();
}

TEST_F(ServiceOfARestoredStore, AppendsNothingToWhatItWroteFurtherInCallersTransactions) {
    pqxx::work transaction{*connection_};
    static_cast<void>(append_and_commit(transaction, *store_, five_));
    appends_nothing();
}

class CommitHit : public ServiceBehindAFault, public testing::WithParamInterface<Harm> {};

TEST_P(CommitHit, LeavesTheOutcomeOpenAndTheSameCommandSentAgainTells) {
    const Append append = append_to("order-1");
    proxy_.harm("COMMIT", GetParam());
    EXPECT_THROW(static_cast<void>(place(*through_, append, "1")), OutcomeUnknown);
    EXPECT_EQ(proxy_.harmed(), 1);

    const auto again = place(*connect_through(), append, "1 again");
    EXPECT_EQ(again.kind, GetParam() == Harm::cut_before ? Kind::committed : Kind::repeated);
    expect(1, "order-1", 1);
}

INSTANTIATE_TEST_SUITE_P(Connections, CommitHit,
                         testing::Values(Harm::cut_before, Harm::cut_reply, Harm::half_close));

class StatementHit : public ServiceBehindAFault, public testing::WithParamInterface<const char*> {};

TEST_P(StatementHit, CommitsNothingAndIsRunAgain) {
    for (const Harm harm : {Harm::cut_before, Harm::cut_reply}) {
        const Append append = append_to("order-1");
        proxy_.harm(GetParam(), harm);
        EXPECT_THROW(static_cast<void>(place(*connect_through(), append, "never")), Unavailable);
        expect(0, "order-1", 0);
    }
    EXPECT_EQ(proxy_.harmed(), 2);
    const Append append = append_to("order-1");
    EXPECT_EQ(place(*connect_through(), append, "1").kind, Kind::committed);
    expect(1, "order-1", 1);
}

INSTANTIATE_TEST_SUITE_P(Connections, StatementHit,
                         testing::Values("set constraints", "set local", "union all",
                                         "stream_moved"));

TEST_F(ServiceBehindAFault, AppendsNothingBehindALossThatTheCallerTookNoNoticeOf) {
    pqxx::work transaction{*through_};
    insert_order(transaction, "lost");
    proxy_.cut_all();
    ASSERT_TRUE(eventually([&] { return proxy_.cut(); }));
    EXPECT_THROW(insert_order(transaction, "lost"), pqxx::broken_connection);
    try {
        static_cast<void>(append_and_commit(transaction, *store_, append_to("order-1")));
        ADD_FAILURE() << "it was appended";
    } catch (const Unavailable& error) {
        EXPECT_NE(std::string{error.what()}.find("had ended before"), std::string::npos)
            << "it is asked before anything is sent, as libpqxx might connect anew: "
            << error.what();
    }
    expect(0, "order-1", 0);
}

TEST_F(ServiceWithTables, AppendsNothingInATransactionThatWasEndedByAStatement) {
    pqxx::nontransaction{*connection_}.exec("set search_path = " + tables_.name() + ", " +
                                            schema_.name());
    pqxx::work transaction{*connection_};
    insert_order(transaction, "lost");
    transaction.exec("rollback");
    EXPECT_THROW(static_cast<void>(append_and_commit(transaction, *store_, append_to("order-1"))),
                 Error);
    expect(0, "order-1", 0);
}

TEST_F(ServiceWithTables, AppendsNothingInATransactionInWhichAStatementFailed) {
    pqxx::work transaction{*connection_};
    insert_order(transaction, "1");
    EXPECT_THROW(insert_order(transaction, "1"), pqxx::unique_violation);
    EXPECT_THROW(static_cast<void>(append_and_commit(transaction, *store_, append_to("order-1"))),
                 std::exception);
    expect(0, "order-1", 0);
}

TEST_F(ServiceBehindAFault, HoldsNobodyUpWhenItFallsSilentUnderItsLocks) {
    proxy_.harm("stream_moved", Harm::swallow_reply);
    std::jthread placing{[this] {
        EXPECT_THROW(static_cast<void>(place(*through_, append_to("order-1"), "never")),
                     Unavailable);
    }};
    ASSERT_TRUE(eventually([&] { return proxy_.harmed() == 1; }));
    // The server ends the transaction after 2 s; a lock may be waited for longer than that.
    EXPECT_EQ(store_->append(append_to("order-1")).kind, Kind::committed);
    proxy_.cut_all();
    placing.join();
    expect(0, "order-1", 1);
}

TEST(ServiceWhoseStandbyIsGone, LeavesTheOutcomeOpen) {
    PrivateServer server;
    const auto url = server.url("store");
    const auto store = open_store(url);
    const auto impatient = open_store(url, {.timeout = std::chrono::seconds{1}});
    pqxx::connection connection{url.substr(0, url.find('?'))}, other{connection.options()};
    {
        pqxx::nontransaction set_up{connection};
        set_up.exec("set synchronous_commit = local");  // of the caller's own work
        set_up.exec("create table orders (id text)");
        set_up.exec("alter system set synchronous_standby_names = 'nobody'");
        set_up.exec("select pg_reload_conf()");
    }
    ASSERT_TRUE(eventually([&] {
        pqxx::nontransaction look{connection};
        return look.exec1("show synchronous_standby_names")[0].as<std::string>() == "nobody";
    }));
    // Whoever waits for the standby is told to give up.
    std::jthread telling{[&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            pqxx::nontransaction{other}.exec(
                "select pg_cancel_backend(pid), pg_sleep(0.01) from pg_stat_activity "
                "where wait_event = 'SyncRep'");
        }
    }};
    // Sessions hear of a setting before commits wait for it.
    ASSERT_TRUE(eventually([&] {
        try {
            static_cast<void>(impatient->append(append_to("order-0")));
            return false;
        } catch (const OutcomeUnknown&) {
            return true;
        }
    }));
    pqxx::work transaction{connection};
    transaction.exec("insert into orders values ('1')");
    EXPECT_THROW(static_cast<void>(append_and_commit(transaction, *store, append_to("order-1"))),
                 OutcomeUnknown);
}

/// Runs in a process of its own: places orders, each a command, until all are there.
[[noreturn]] void serve(const std::string& store_url, const std::string& tables, int count) {
    const auto store = open_store(store_url);
    pqxx::connection connection{postgres_url()};
    pqxx::nontransaction{connection}.exec("set search_path = " + tables);
    const auto there = pqxx::nontransaction{connection}.exec1("select count(*) from orders");
    for (int i = std::max(there[0].as<int>() - 1, 0); i < count; ++i) {
        const std::string id = std::to_string(i);
        Append append = append_of({events_for("order-" + std::to_string(i % 7))});
        append.metadata.command_id = "place-" + id;
        append.request = request_hash(append);
        pqxx::work transaction{connection};
        transaction.exec_params("insert into orders (id) values ($1) on conflict do nothing", id);
        static_cast<void>(append_and_commit(transaction, *store, append));
    }
    ::_exit(0);
}

TEST_F(ServiceWithTables, KilledAtAnyMomentAndStartedAgainPlacesEachOrderOnce) {
    constexpr int count = 300;
    int status = -1;
    int kills = 0;
    for (useconds_t after = 20'000; status != 0; after += 7'000) {
        const pid_t service = ::fork();
        if (service == 0) serve(schema_.url(), tables_.name(), count);
        Environment::system().scheduler.sleep(std::chrono::microseconds{after});
        ::kill(service, SIGKILL);
        ::waitpid(service, &status, 0);
        kills += status == 0 ? 0 : 1;
        ASSERT_LT(kills, 200);
    }
    EXPECT_GT(kills, 2);
    expect(count, "order-0", count / 7 + 1);
    std::int64_t events = 0;
    for (const LogHead& head : store_->heads()) events += head.n;
    EXPECT_EQ(events, count);
}

}  // namespace
}  // namespace recount::test
