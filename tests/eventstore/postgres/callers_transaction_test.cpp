#include "eventstore/postgres/callers.hpp"

#include <google/protobuf/wrappers.pb.h>

#include <thread>

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;

class CallersTransaction : public ServiceWithTables {};

TEST_F(CallersTransaction, CommitsRowsAndEventsTogether) {
    EXPECT_EQ(place(*connection_, append_to("order-1"), "1").kind, Kind::committed);
    expect(1, "order-1", 1);
}

TEST_F(CallersTransaction, TakesMessagesAsTheyAre) {
    google::protobuf::StringValue placed, paid;
    placed.set_value("placed");
    paid.set_value("paid");
    pqxx::work transaction{*connection_};
    insert_order(transaction, "1");
    const auto result = append_and_commit(transaction, *store_, {"order", "1"},
                                          {.command_id = "order-1/place"}, placed, paid);
    EXPECT_EQ(result.kind, Kind::committed);
    const auto events = store_->read_stream({"order", "1"}).events;
    ASSERT_EQ(events.size(), 2);
    EXPECT_EQ(parse_as<google::protobuf::StringValue>(events[0]).value(), "placed");
    EXPECT_EQ(parse_as<google::protobuf::StringValue>(events[1]).value(), "paid");
    EXPECT_EQ(events[1].at.append_id, "order-1/place");
}

TEST_F(CallersTransaction, WritesSeveralStreamsOrNone) {
    static_cast<void>(store_->append(append_to("stock-mug")));
    const Append both = append_of(
        {events_for("order-1"), events_for("stock-mug", Expected::exactly(Version{1}), 3)});
    EXPECT_EQ(place(*connection_, both, "1").kind, Kind::committed);
    expect(1, "stock-mug", 4);

    const Append stale =
        append_of({events_for("order-2"), events_for("stock-mug", Expected::exactly(Version{1}))});
    EXPECT_EQ(place(*connection_, stale, "2").kind, Kind::conflict);
    expect(1, "order-2", 0);
}

TEST_F(CallersTransaction, RollsTheCallersRowsBackInAConflict) {
    static_cast<void>(store_->append(append_to("order-1")));
    pqxx::work transaction{*connection_};
    insert_order(transaction, "never");
    Append append = append_to("order-1", Expected::no_stream());
    append.missed_events = 10;
    const auto result = append_and_commit(transaction, *store_, append);
    EXPECT_EQ(result.kind, Kind::conflict);
    ASSERT_EQ(result.conflict.missed.size(), 1);
    EXPECT_EQ(result.conflict.missed[0].events.size(), 1);
    EXPECT_THROW(transaction.commit(), pqxx::usage_error) << "it has ended";
    ASSERT_EQ(result.conflict.failed.size(), 1);
    EXPECT_EQ(result.conflict.failed[0].actual, Version{1});
    expect(0, "order-1", 1);
}

TEST_F(CallersTransaction, HappensOnceHoweverOftenItIsRun) {
    const Append append = append_to("order-1");
    const auto first = place(*connection_, append, "1");
    const auto second = place(*connection_, append, "written by a run too many");
    EXPECT_EQ(second.kind, Kind::repeated);
    EXPECT_EQ(second.outcome, first.outcome);
    expect(1, "order-1", 1);
}

TEST_F(CallersTransaction, RefusesACommandIdThatStandsForSomethingElse) {
    Append append = append_to("order-1");
    static_cast<void>(store_->append(append));
    append.request = request_hash(append_to("order-2"));
    EXPECT_THROW(static_cast<void>(place(*connection_, append, "never")), CommandReused);
    expect(0, "order-1", 1);
}

TEST_F(CallersTransaction, SeesThatItsCommandWasVoided) {
    const Append append = append_to("order-1");
    store_->void_command(append.metadata.command_id);
    const auto result = place(*connection_, append, "never");
    EXPECT_EQ(result.kind, Kind::repeated);
    EXPECT_EQ(result.outcome->kind, CommandOutcome::Kind::voided);
    expect(0, "order-1", 0);
}

TEST_F(CallersTransaction, LocksNothingWhileTheCallerIsAtWork) {
    pqxx::work slow{*connection_};
    insert_order(slow, "1");
    // Others that append to the very stream meanwhile wait for nobody.
    const auto other = open_store(schema_.url(), {.timeout = std::chrono::seconds{1}});
    EXPECT_EQ(other->append(append_to("order-1")).kind, Kind::committed);
    EXPECT_EQ(append_and_commit(slow, *store_, append_to("order-1")).kind, Kind::committed);
    expect(1, "order-1", 2);
}

TEST_F(CallersTransaction, FindsAConflictWithoutWaitingForAnybody) {
    static_cast<void>(store_->append(append_to("order-1")));
    const auto other_connection = connect(postgres_url());
    pqxx::work other{*other_connection};
    other.exec("select from " + schema_.name() + ".partition for update");
    const Append append = append_to("order-1", Expected::no_stream());
    EXPECT_EQ(place(*connection_, append, "never").kind, Kind::conflict);
}

TEST_F(CallersTransaction, ChecksDeferredConstraintsBeforeItLocksAnything) {
    pqxx::work transaction{*connection_};
    transaction.exec(
        "create table lines (order_id text references orders deferrable initially deferred)");
    transaction.exec("insert into lines values ('nowhere')");
    EXPECT_THROW(static_cast<void>(append_and_commit(transaction, *store_, append_to("order-1"))),
                 pqxx::foreign_key_violation);
    EXPECT_THROW(transaction.exec("select 1"), pqxx::usage_error) << "it has ended";
    expect(0, "order-1", 0);
}

TEST_F(CallersTransaction, IsCountedByHowLongItHeldItsLocks) {
    auto& held = store_->environment().metrics.histogram("recount_append_lock_hold_seconds", "");
    const auto before = held.count();
    const auto seconds_before = held.sum();
    static_cast<void>(place(*connection_, append_to("order-1"), "1"));
    EXPECT_EQ(held.count(), before + 1);
    EXPECT_GT(held.sum(), seconds_before);
    static_cast<void>(place(*connection_, append_to("order-1", Expected::no_stream()), "2"));
    EXPECT_EQ(held.count(), before + 1) << "nothing was locked to find a conflict";
}

TEST_F(CallersTransaction, IsHeardOfAtOnceHereAndInOtherProcesses) {
    auto listening = connect(postgres_url());
    struct Heard final : pqxx::notification_receiver {
        using pqxx::notification_receiver::notification_receiver;
        void operator()(const std::string&, int) override { heard = true; }
        bool heard = false;
    } receiver{*listening, "recount-" + to_string(store_->identity().id)};

    static_cast<void>(place(*connection_, append_to("order-1"), "1"));
    EXPECT_TRUE(store_->wait({}, std::chrono::seconds{10}, {}));
    for (int second = 0; second < 30 && !receiver.heard; ++second) {
        listening->await_notification(1, 0);
    }
    EXPECT_TRUE(receiver.heard);
}

TEST_F(CallersTransaction, GoesOnFromTheOrdinaryAppendsOfItsProcessAndTheyFromIt) {
    for (std::int64_t round = 0; round < 3; ++round) {
        EXPECT_EQ(store_->append(append_to("order-1")).kind, Kind::committed);
        const auto id = std::to_string(round);
        EXPECT_EQ(place(*connection_, append_to("order-1"), id).kind, Kind::committed);
        expect(round + 1, "order-1", 2 * round + 2);
    }
}

TEST_F(CallersTransaction, ClosesAStreamAndWritesToNoneThatIsClosed) {
    Append closing = append_to("order-1");
    closing.writes[0].events.push_back(closing_event("paid"));
    closing.request = request_hash(closing);
    EXPECT_EQ(place(*connection_, closing, "1").kind, Kind::committed);
    EXPECT_THROW(static_cast<void>(place(*connection_, append_to("order-1"), "2")), StreamClosed);
    EXPECT_THROW(static_cast<void>(
                     place(*connection_, append_to("order-1", Expected::exactly(Version{2})), "3")),
                 StreamClosed);
    EXPECT_TRUE(store_->read_stream(StreamName::parse("order-1")).closed);
    expect(1, "order-1", 2);
}

TEST_F(CallersTransaction, StandsInLineWithOrdinaryAppends) {
    constexpr int rounds = 25;
    const auto other = open_store(schema_.url());
    const auto both = [] { return append_of({events_for("order-1"), events_for("stock-1")}); };
    {
        std::vector<std::jthread> threads;
        for (const auto name : {"a", "b", "c"}) {
            threads.emplace_back([&, name] {
                const auto connection = connect(postgres_url());
                for (int i = 0; i < rounds; ++i) {
                    const auto result = place(*connection, both(), name + std::to_string(i));
                    EXPECT_EQ(result.kind, Kind::committed);
                }
            });
        }
        for (EventStore* const store : {store_.get(), other.get()}) {
            threads.emplace_back([&, store] {
                for (int i = 0; i < rounds; ++i) {
                    EXPECT_EQ(store->append(both()).kind, Kind::committed);
                }
            });
        }
    }
    expect(3 * rounds, "order-1", 5 * rounds);
    EXPECT_EQ(version_of(*store_, "stock-1"), 5 * rounds);
}

}  // namespace
}  // namespace recount::test
