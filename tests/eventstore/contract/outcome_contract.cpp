#include "account.hpp"
#include "eventstore/contract/store_contract.hpp"

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = AppendResult::Kind;
using Became = CommandOutcome::Kind;

TEST_P(OutcomeContract, RemembersEvents) {
    const CommandOutcome first = add("cart-1", 2);
    reopen();
    const auto found = store().find_outcome(first.command_id);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, first);
    EXPECT_EQ(found->kind, Became::events);
    EXPECT_EQ(found->streams[0].last, Version{2});
    EXPECT_EQ(found->reached.store, store().identity().id);
    EXPECT_EQ(found->reached.incarnation, store().identity().incarnation);
}

TEST_P(OutcomeContract, RemembersNothing) {
    add("cart-1", 3);
    const AppendResult result =
        store().append(make_append("a", {}, {check("cart-1", Expected::exactly({3}))}));
    ASSERT_EQ(result.kind, Kind::committed);
    EXPECT_EQ(result.outcome->kind, Became::nothing);
    reopen();
    EXPECT_EQ(store().find_outcome("a"), result.outcome);
    const Partition partition = partition_of(stream("cart-1"), store().identity().partitions);
    EXPECT_EQ(result.outcome->reached.positions[partition], 3);
    EXPECT_EQ(result.outcome->reached.positions.sum(), 3);
    EXPECT_EQ(count_events(), 3);
}

TEST_P(OutcomeContract, RemembersARefusal) {
    const Append refusal = make_refusal("a", {check("cart-1", Expected::no_stream())});
    const AppendResult result = store().append(refusal);
    ASSERT_EQ(result.kind, Kind::committed);
    reopen();
    const auto found = store().find_outcome("a");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->kind, Became::refused);
    EXPECT_EQ(found->rejection, *refusal.rejection);
    EXPECT_EQ(store().append(refusal).kind, Kind::repeated);
}

TEST_P(OutcomeContract, DoesNotRecordADecisionOnAVersionThatHasPassed) {
    add("cart-1");
    EXPECT_EQ(store().append(make_refusal("a", {check("cart-1", Expected::no_stream())})).kind,
              Kind::conflict);
    EXPECT_EQ(store().append(make_append("b", {}, {check("cart-1", Expected::no_stream())})).kind,
              Kind::conflict);
    EXPECT_FALSE(store().find_outcome("a"));
    EXPECT_FALSE(store().find_outcome("b"));
}

TEST_P(OutcomeContract, KnowsNothingOfACommandThatNeverCame) {
    EXPECT_FALSE(store().find_outcome("never"));
    EXPECT_FALSE(store().find_outcome(""));
}

TEST_P(OutcomeContract, RepeatsTheFirstOutcomeAlsoWhenTheStreamMovedOn) {
    const Append append = make_append("a", {write("cart-1", Expected::no_stream(), 2)});
    const AppendResult first = store().append(append);
    add("cart-1", 5);
    for (int round = 0; round < 2; ++round) {
        const AppendResult again = store().append(append);
        EXPECT_EQ(again.kind, Kind::repeated);
        EXPECT_EQ(again.outcome, first.outcome);
        reopen();
    }
    EXPECT_EQ(count_events(), 7);
}

TEST_P(OutcomeContract, RefusesTheSameIdWithOtherContent) {
    static_cast<void>(store().append(make_append("a", {write("cart-1")})));
    const std::vector<Append> other{make_append("a", {write("cart-2")})};
    const AppendResult result = store().append(std::span{other}).front();
    EXPECT_EQ(result.kind, Kind::reused);
    EXPECT_THAT(result.message, HasSubstr("command id a"));
    EXPECT_THROW(static_cast<void>(store().append(other[0])), CommandReused);
    reopen();
    EXPECT_THROW(static_cast<void>(store().append(other[0])), CommandReused);
    EXPECT_THROW(static_cast<void>(store().append(make_refusal("a"))), CommandReused);
    EXPECT_THAT(read_all("cart-2"), IsEmpty());
    EXPECT_EQ(count_events(), 1);
}

TEST_P(OutcomeContract, TellsCommandIdsApartByEveryByte) {
    for (const char* id : {"a", "A", "a ", " a", "\xc3\xa9", "e\xcc\x81"}) {
        EXPECT_EQ(store().append(make_append(id, {write("cart-1")})).kind, Kind::committed) << id;
    }
    EXPECT_EQ(count_events(), 6);
}

TEST_P(OutcomeContract, VoidedBeforeItHappenedACommandNeverHappens) {
    const CommandOutcome voided = store().void_command("a");
    EXPECT_EQ(voided.kind, Became::voided);
    EXPECT_EQ(voided.command_id, "a");
    reopen();
    const AppendResult late = store().append(make_append("a", {write("cart-1")}));
    EXPECT_EQ(late.kind, Kind::repeated);
    EXPECT_EQ(late.outcome, voided);
    EXPECT_EQ(store().append(make_refusal("a")).outcome, voided);
    EXPECT_EQ(count_events(), 0);
    EXPECT_EQ(store().find_outcome("a"), voided);
    EXPECT_EQ(store().void_command("a"), voided);
}

TEST_P(OutcomeContract, OfAVoidedCommandTellsItsCallerSo) {
    store().void_command("a");
    Repository<Account> accounts{store()};
    const Outcome outcome = accounts.handle("1", open("ada"), {.command_id = "a"});
    EXPECT_FALSE(outcome);
    EXPECT_TRUE(outcome.voided());
    EXPECT_EQ(outcome.rejection().code, "voided");
    Batch batch{store()};
    accounts.enqueue(batch, "1", open("ada"), {.command_id = "a"});
    EXPECT_EQ(batch.commit().at(0).rejection().code, "voided");
}

TEST_P(OutcomeContract, VoidingACommandThatHappenedReturnsWhatHappened) {
    const CommandOutcome first = add("cart-1");
    EXPECT_EQ(store().void_command(first.command_id), first);
    const AppendResult refused = store().append(make_refusal("r"));
    EXPECT_EQ(store().void_command("r"), refused.outcome);
    reopen();
    EXPECT_EQ(store().find_outcome(first.command_id), first);
    EXPECT_EQ(count_events(), 1);
}

TEST_P(OutcomeContract, RefusesToVoidWhatIsNoCommandId) {
    EXPECT_THROW(store().void_command(""), InvalidArgument);
    EXPECT_THROW(store().void_command(std::string(256, 'x')), InvalidArgument);
    EXPECT_THROW(store().void_command(std::string_view("a\0b", 3)), InvalidArgument);
}

TEST_P(OutcomeContract, TriesACommandAgainThatConflicted) {
    const Append append = make_append("a", {write("cart-1", Expected::exists())});
    EXPECT_EQ(store().append(append).kind, Kind::conflict);
    add("cart-1");
    EXPECT_EQ(store().append(append).kind, Kind::committed);
    EXPECT_EQ(store().append(append).kind, Kind::repeated);
}

/// What a store says of its appends, by name and labels.
double counted(EventStore& store, const std::string& name, const Labels& labels = {}) {
    return store.environment().metrics.counter(name, "", labels).value();
}

TEST_P(OutcomeContract, IsCounted) {
    const auto events = [&](const char* category) {
        return counted(store(), "recount_events_appended_total", {{"category", category}});
    };
    auto& calls = store().environment().metrics.histogram("recount_append_duration_seconds", "");
    const double carts = events("cart"), stock = events("stock");
    const double conflicts = counted(store(), "recount_append_conflicts_total");
    const std::uint64_t before = calls.count();
    const Append append = make_append("a", {write("cart-1", Expected::any(), 2), write("stock-1"),
                                            write("cart-2", Expected::any(), 3)});
    ASSERT_EQ(store().append(append).kind, Kind::committed);
    ASSERT_EQ(store().append(append).kind, Kind::repeated);
    ASSERT_EQ(store().append(make_append("b", {write("cart-1", Expected::exactly({7}))})).kind,
              Kind::conflict);
    add("cart-9", 1);
    EXPECT_EQ(events("cart") - carts, 6);
    EXPECT_EQ(events("stock") - stock, 1);
    EXPECT_EQ(counted(store(), "recount_append_conflicts_total") - conflicts, 1);
    EXPECT_EQ(calls.count() - before, 4U);
}

}  // namespace
}  // namespace recount::test
