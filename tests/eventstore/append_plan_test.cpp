#include "eventstore/planned_group.hpp"

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

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

}  // namespace
}  // namespace recount::test
