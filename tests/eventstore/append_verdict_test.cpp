#include "eventstore/planned_group.hpp"

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using Kind = AppendResult::Kind;

TEST_F(PlannedGroup, ListsEveryFailedExpectation) {
    versions_["cart-1"] = Version{3};
    const std::vector<Append> appends{
        append_of("a",
                  {write_to("cart-1", Expected::no_stream()),
                   write_to("cart-2", Expected::exists()), write_to("cart-3", Expected::any())},
                  {{StreamName::parse("cart-4"), Expected::exactly(Version{2})},
                   {StreamName::parse("cart-5"), Expected::no_stream()}})};
    const AppendPlan made = plan(appends);
    ASSERT_EQ(made.results[0].kind, Kind::conflict);
    EXPECT_THAT(
        made.results[0].conflict.failed,
        ElementsAre(FailedCheck{StreamName::parse("cart-1"), Expected::no_stream(), {3}},
                    FailedCheck{StreamName::parse("cart-2"), Expected::exists(), {0}},
                    FailedCheck{StreamName::parse("cart-4"), Expected::exactly(Version{2}), {0}}));
    EXPECT_TRUE(made.writes_nothing());
    EXPECT_TRUE(made.events.empty());
    EXPECT_TRUE(made.heads.empty());
}

TEST_F(PlannedGroup, LetsLaterAppendsSeeEarlierOnes) {
    const std::vector<Append> appends{
        append_of("a", {write_to("cart-1", Expected::no_stream())}),
        append_of("b", {write_to("cart-1", Expected::no_stream())}),
        append_of("c", {write_to("cart-1", Expected::exactly(Version{1}))})};
    const AppendPlan made = plan(appends);
    EXPECT_EQ(made.results[0].kind, Kind::committed);
    EXPECT_EQ(made.results[1].kind, Kind::conflict);
    EXPECT_EQ(made.results[2].kind, Kind::committed);
    EXPECT_THAT(made.events, SizeIs(2));
    EXPECT_THAT(made.outcomes, SizeIs(2));
}

TEST_F(PlannedGroup, RepeatsTheFirstOutcomeOfACommandWithinTheGroup) {
    const Append append = append_of("a", {write_to("cart-1", Expected::any())});
    const std::vector<Append> appends{append, append};
    const AppendPlan made = plan(appends);
    EXPECT_EQ(made.results[1].kind, Kind::repeated);
    EXPECT_EQ(made.results[1].outcome, made.results[0].outcome);
    EXPECT_THAT(made.events, SizeIs(1));
    EXPECT_THAT(made.outcomes, SizeIs(1));
}

TEST_F(PlannedGroup, RefusesOtherContentUnderACommandIdOfTheGroup) {
    const std::vector<Append> appends{append_of("a", {write_to("cart-1", Expected::any())}),
                                      append_of("a", {write_to("cart-2", Expected::any())})};
    const AppendPlan made = plan(appends);
    EXPECT_EQ(made.results[1].kind, Kind::reused);
    EXPECT_NE(made.results[1].message.find("command id a"), std::string::npos);
    EXPECT_FALSE(made.results[1].outcome);
}

TEST_F(PlannedGroup, DecidesACommandAgainThatConflictedEarlierInTheGroup) {
    const Append wants = append_of("a", {write_to("cart-1", Expected::exists())});
    const std::vector<Append> appends{wants, append_of("b", {write_to("cart-1", Expected::any())}),
                                      wants};
    const AppendPlan made = plan(appends);
    EXPECT_EQ(made.results[0].kind, Kind::conflict);
    EXPECT_EQ(made.results[2].kind, Kind::committed);
}

TEST_F(PlannedGroup, LooksAtTheOutcomeBeforeTheExpectations) {
    const Append append = append_of("a", {write_to("cart-1", Expected::no_stream())});
    const std::vector<Append> appends{append};
    outcomes_["a"] = *plan(appends).results[0].outcome;
    versions_["cart-1"] = Version{9};  // the stream moved on
    EXPECT_EQ(plan(appends).results[0].kind, Kind::repeated);
}

TEST_F(PlannedGroup, GivesAVoidedIdBackWhateverTheContent) {
    outcomes_["a"] = voided_outcome("a", context_.identity, at(3));
    const std::vector<Append> appends{append_of("a", {write_to("cart-1", Expected::any())})};
    const AppendPlan made = plan(appends);
    EXPECT_EQ(made.results[0].kind, Kind::repeated);
    EXPECT_EQ(made.results[0].outcome->kind, CommandOutcome::Kind::voided);
    EXPECT_TRUE(made.writes_nothing());
}

TEST_F(PlannedGroup, ReachesThePartitionsItWroteAndNoOthers) {
    heads_[0].n = heads_[1].n = 20;
    const std::vector<Append> appends{append_of("a", {write_to("cart-1", Expected::any(), 3)})};
    const AppendPlan made = plan(appends);
    const StorePositions& reached = made.results[0].outcome->reached;
    const Partition written = partition_of("cart-1", 2);
    EXPECT_EQ(reached.store, context_.identity.id);
    EXPECT_EQ(reached.incarnation, context_.identity.incarnation);
    EXPECT_EQ(reached.positions[written], 23);
    EXPECT_EQ(reached.positions.sum(), 23);
}

TEST_F(PlannedGroup, RecordsARefusalWithWhatItHadSeen) {
    heads_[0].n = heads_[1].n = 20;
    Append refused = append_of("a", {}, {{StreamName::parse("cart-1"), Expected::no_stream()}});
    refused.rejection = Rejection{"no", "not today"};
    const std::vector<Append> appends{refused};
    const AppendPlan made = plan(appends);
    ASSERT_EQ(made.results[0].kind, Kind::committed);
    const CommandOutcome& outcome = *made.results[0].outcome;
    EXPECT_EQ(outcome.kind, CommandOutcome::Kind::refused);
    EXPECT_EQ(outcome.rejection, *refused.rejection);
    EXPECT_EQ(outcome.reached.positions[partition_of("cart-1", 2)], 20);
    EXPECT_EQ(outcome.reached.positions.sum(), 20);
    EXPECT_TRUE(made.heads.empty());
    EXPECT_EQ(decode_outcome("a", made.outcomes[0].bytes), outcome);
}

TEST_F(PlannedGroup, DoesNotRecordARefusalThatWasDecidedOnAnOldVersion) {
    versions_["cart-1"] = Version{1};
    Append refused = append_of("a", {}, {{StreamName::parse("cart-1"), Expected::no_stream()}});
    refused.rejection = Rejection{"no", ""};
    const std::vector<Append> appends{refused};
    const AppendPlan made = plan(appends);
    EXPECT_EQ(made.results[0].kind, Kind::conflict);
    EXPECT_TRUE(made.writes_nothing());
}

TEST_F(PlannedGroup, NamesWhereEachStreamsEventsWent) {
    const std::vector<Append> appends{append_of(
        "a", {write_to("cart-1", Expected::any(), 2), write_to("cart-2", Expected::any(), 1)})};
    const AppendPlan made = plan(appends);
    const auto& streams = made.results[0].outcome->streams;
    ASSERT_THAT(streams, SizeIs(2));
    EXPECT_EQ(streams[0].first, Version{1});
    EXPECT_EQ(streams[0].last, Version{2});
    EXPECT_EQ(streams[0].first_position, made.events[0].position);
    EXPECT_EQ(streams[1].first_position, made.events[2].position);
}

}  // namespace
}  // namespace recount::test
