#include "append_plan.hpp"

#include <recount/core/envelope.hpp>
#include <recount/core/ids.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace recount {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using Kind = AppendResult::Kind;

class CountingRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> bytes) override {
        ++calls;
        for (std::uint8_t& byte : bytes) byte = next_++;
    }
    int calls = 0;

private:
    std::uint8_t next_ = 1;
};

Timestamp at(std::int64_t micros) { return Timestamp{std::chrono::microseconds{micros}}; }

Append append_of(std::string id, std::vector<StreamWrite> writes,
                 std::vector<StreamCheck> checks = {}) {
    Append append;
    append.metadata.command_id = std::move(id);
    append.writes = std::move(writes);
    append.checks = std::move(checks);
    append.request = request_hash(append);
    return append;
}

StreamWrite write_to(const std::string& stream, Expected expected, std::size_t events = 1) {
    return {
        StreamName::parse(stream), expected, {events, NewEvent{"test.Event", "payload", "plain"}}};
}

/// A log of two partitions, empty unless told otherwise.
class PlannedGroup : public testing::Test {
protected:
    PlannedGroup() {
        context_.identity.id.bytes.fill(1);
        context_.identity.incarnation.bytes.fill(2);
        context_.identity.partitions = 2;
        Incarnation first;
        first.id = context_.identity.incarnation;
        context_.origins = living_origins(context_.identity, {first});
        context_.revision_of = [](std::string_view) { return 7U; };
    }

    AppendPlan plan(const std::vector<Append>& appends) {
        group_ = pointers_to(appends);
        touched_ = touched_by(group_, 2);
        KnownState known = KnownState::for_all(touched_);
        for (std::size_t i = 0; i < touched_.partitions.size(); ++i) {
            known.heads[i] = heads_[static_cast<std::size_t>(touched_.partitions[i].value)];
        }
        for (std::size_t i = 0; i < touched_.streams.size(); ++i) {
            const auto found = versions_.find(std::string{touched_.streams[i]});
            if (found != versions_.end()) known.versions[i] = found->second;
        }
        for (std::size_t i = 0; i < touched_.command_ids.size(); ++i) {
            const auto found = outcomes_.find(std::string{touched_.command_ids[i]});
            if (found != outcomes_.end()) known.outcomes[i] = found->second;
        }
        return plan_append(group_, touched_, known, context_, now_, random_);
    }

    PlanContext context_;
    std::vector<LogHead> heads_ = std::vector<LogHead>(2);
    std::map<std::string, Version> versions_;
    std::map<std::string, CommandOutcome> outcomes_;
    Timestamp now_ = at(1000);
    CountingRandom random_;
    std::vector<const Append*> group_;
    Touched touched_;
};

TEST_F(PlannedGroup, TouchesEachPartitionStreamAndCommandOnceSorted) {
    const std::vector<Append> appends{
        append_of("b", {write_to("cart-2", Expected::any())},
                  {{StreamName::parse("stock-1"), Expected::exists()}}),
        append_of("a", {write_to("cart-2", Expected::any()), write_to("cart-1", Expected::any())})};
    const auto group = pointers_to(appends);
    const Touched touched = touched_by(group, 16);
    EXPECT_THAT(touched.command_ids, ElementsAre("a", "b"));
    EXPECT_THAT(touched.streams, ElementsAre("cart-1", "cart-2", "stock-1"));
    EXPECT_THAT(touched.types, ElementsAre("test.Event"));
    std::vector<Partition> partitions;
    for (const auto stream : touched.streams) partitions.push_back(partition_of(stream, 16));
    std::sort(partitions.begin(), partitions.end());
    partitions.erase(std::unique(partitions.begin(), partitions.end()), partitions.end());
    EXPECT_EQ(touched.partitions, partitions);
}

TEST_F(PlannedGroup, NumbersPositionsAndVersionsWithoutGaps) {
    versions_["cart-1"] = Version{4};
    const Partition partition = partition_of("cart-1", 2);
    heads_[static_cast<std::size_t>(partition.value)] = {10, Hash{}, at(1)};
    const std::vector<Append> appends{append_of("a", {write_to("cart-1", Expected::any(), 2)}),
                                      append_of("b", {write_to("cart-1", Expected::any(), 1)})};
    const AppendPlan made = plan(appends);
    ASSERT_THAT(made.events, SizeIs(3));
    for (std::int64_t i = 0; i < 3; ++i) {
        const PlannedEvent& event = made.events[static_cast<std::size_t>(i)];
        EXPECT_EQ(event.position, (Position{partition, 11 + i}));
        EXPECT_EQ(event.version, Version{5 + i});
    }
    ASSERT_THAT(made.heads, SizeIs(1));
    EXPECT_EQ(made.heads[0].before.n, 10);
    EXPECT_EQ(made.heads[0].head.n, 13);
    EXPECT_EQ(made.heads[0].head.hash, made.events[2].hash);
    ASSERT_THAT(made.versions, SizeIs(1));
    EXPECT_EQ(made.versions[0].version, Version{7});
}

TEST_F(PlannedGroup, ChainsEachEventToTheOneBefore) {
    const std::vector<Append> appends{append_of("a", {write_to("cart-1", Expected::any(), 2)})};
    const AppendPlan made = plan(appends);
    const auto index = static_cast<std::size_t>(partition_of("cart-1", 2).value);
    const Hash first =
        chain_hash(made.events[0].position, context_.origins[index].hash, made.events[0].envelope);
    EXPECT_EQ(made.events[0].hash, first);
    EXPECT_EQ(made.events[1].hash,
              chain_hash(made.events[1].position, first, made.events[1].envelope));
}

TEST_F(PlannedGroup, BehindAForkChainsFromTheOriginOfTheNewHistory) {
    const Partition partition = partition_of("cart-1", 2);
    const auto index = static_cast<std::size_t>(partition.value);
    Hash forked;
    forked.bytes.fill(9);
    heads_[index] = {5, forked, at(1)};
    context_.origins[index].n = 5;
    const std::vector<Append> appends{append_of("a", {write_to("cart-1", Expected::any(), 2)})};
    const AppendPlan made = plan(appends);
    const Hash first =
        chain_hash(Position{partition, 6}, context_.origins[index].hash, made.events[0].envelope);
    EXPECT_EQ(made.events[0].hash, first);
    EXPECT_EQ(made.events[1].hash,
              chain_hash(Position{partition, 7}, first, made.events[1].envelope));
}

TEST_F(PlannedGroup, FillsInTheEnvelope) {
    Append append = append_of(
        "cmd", {write_to("cart-1", Expected::any(), 1), write_to("cart-2", Expected::any(), 2)});
    append.metadata.correlation_id = "corr";
    append.metadata.causation_id = "cause";
    append.metadata.traceparent = "trace";
    append.metadata.headers = {{"who", "x"}};
    append.metadata.occurred_at = at(5);
    append.after.push_back({Uuid{}, Uuid{}, Positions{1}});
    const std::vector<Append> appends{append};
    const AppendPlan made = plan(appends);
    const Envelope last = decode_envelope(made.events[2].envelope);
    EXPECT_EQ(last.stream.full(), "cart-2");
    EXPECT_EQ(last.version, Version{2});
    EXPECT_EQ(last.event_id, event_id("cmd", 2));
    EXPECT_EQ(last.type, "test.Event");
    EXPECT_EQ(last.schema_revision, 7U);
    EXPECT_EQ(last.payload_digest, payload_digest(made.events[2].salt, "payload"));
    EXPECT_EQ(last.append_id, "cmd");
    EXPECT_EQ(last.append_index, 2U);
    EXPECT_EQ(last.append_count, 3U);
    EXPECT_EQ(last.correlation_id, "corr");
    EXPECT_EQ(last.causation_id, "cause");
    EXPECT_EQ(last.traceparent, "trace");
    EXPECT_EQ(last.headers, append.metadata.headers);
    EXPECT_EQ(last.occurred_at, at(5));
    EXPECT_EQ(last.recorded_at, at(1000));
    EXPECT_THAT(last.after, SizeIs(1));
}

TEST_F(PlannedGroup, DoesNotLeakMetadataFromOneAppendIntoTheNext) {
    Append first = append_of("a", {write_to("cart-1", Expected::any())});
    first.metadata.correlation_id = "corr";
    first.metadata.headers = {{"who", "x"}};
    first.metadata.occurred_at = at(5);
    first.after.push_back({});
    const std::vector<Append> appends{first, append_of("b", {write_to("cart-1", Expected::any())})};
    const Envelope second = decode_envelope(plan(appends).events[1].envelope);
    EXPECT_EQ(second.correlation_id, "");
    EXPECT_TRUE(second.headers.empty());
    EXPECT_TRUE(second.after.empty());
    EXPECT_EQ(second.occurred_at, second.recorded_at);
    EXPECT_EQ(second.append_index, 0U);
}

TEST_F(PlannedGroup, SaltsEveryEventAnewFromOneDraw) {
    const std::vector<Append> appends{append_of("a", {write_to("cart-1", Expected::any(), 2)}),
                                      append_of("b", {write_to("cart-2", Expected::any(), 1)})};
    const AppendPlan made = plan(appends);
    EXPECT_EQ(random_.calls, 1);
    EXPECT_THAT(made.events[0].salt, SizeIs(16));
    EXPECT_NE(made.events[0].salt, made.events[1].salt);
    EXPECT_NE(made.events[1].salt, made.events[2].salt);
}

TEST_F(PlannedGroup, NeverLetsTimeRunBackInAPartition) {
    for (LogHead& head : heads_) head.recorded_at = at(5000);
    const std::vector<Append> appends{append_of("a", {write_to("cart-1", Expected::any())})};
    const AppendPlan made = plan(appends);
    EXPECT_EQ(decode_envelope(made.events[0].envelope).recorded_at, at(5000));
    EXPECT_EQ(made.heads[0].head.recorded_at, at(5000));
    EXPECT_EQ(made.results[0].outcome->recorded_at, at(5000));
}

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
    EXPECT_EQ(decode_outcome(made.outcomes[0].bytes), outcome);
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
}  // namespace recount
