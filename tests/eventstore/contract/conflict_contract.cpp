#include "eventstore/contract/store_contract.hpp"

namespace recount::test {
namespace {

using ::testing::ElementsAre;

Append wanting(Append append, std::size_t missed_events) {
    append.missed_events = missed_events;
    return append;
}

TEST_P(AppendContract, BringsWhatAConflictMissedFromTheExpectedVersionOn) {
    add("cart-1", 5);
    const AppendResult result = store().append(
        wanting(make_append("c-1", {write("cart-1", Expected::exactly(Version{2}))}), 100));
    ASSERT_EQ(result.kind, AppendResult::Kind::conflict);
    ASSERT_EQ(result.conflict.failed.size(), 1U);
    EXPECT_EQ(result.conflict.failed[0].actual, Version{5});
    ASSERT_EQ(result.conflict.missed.size(), 1U);
    EXPECT_THAT(versions(result.conflict.missed[0].events), ElementsAre(2, 3, 4, 5));
    EXPECT_EQ(payloads(result.conflict.missed[0].events), payloads([&] {
                  auto all = read_all("cart-1");
                  all.erase(all.begin());
                  return all;
              }()));
    EXPECT_TRUE(result.conflict.missed[0].end);
    EXPECT_EQ(result.conflict.missed[0].head, Version{5});
}

TEST_P(AppendContract, BringsOnePageAtMostOfEachStreamThatFailed) {
    add("cart-1", 5);
    add("cart-2", 3);
    add("cart-3", 1);
    const AppendResult result = store().append(wanting(
        make_append("c-1", {write("cart-1", Expected::no_stream()), write("cart-3")},
                    {check("cart-2", Expected::exactly(Version{3})),
                     check("cart-4", Expected::exists()), check("cart-5", Expected::no_stream()),
                     check("cart-6", Expected::exactly(Version{7}))}),
        2));
    ASSERT_EQ(result.conflict.failed.size(), 3U);
    ASSERT_EQ(result.conflict.missed.size(), 3U);
    EXPECT_EQ(result.conflict.failed[0].stream, stream("cart-1"));
    EXPECT_THAT(versions(result.conflict.missed[0].events), ElementsAre(1, 2));
    EXPECT_FALSE(result.conflict.missed[0].end);
    EXPECT_EQ(result.conflict.missed[0].head, Version{5});
    EXPECT_EQ(result.conflict.failed[1].stream, stream("cart-4"));
    EXPECT_TRUE(result.conflict.missed[1].events.empty());
    EXPECT_EQ(result.conflict.failed[2].stream, stream("cart-6"));
    EXPECT_TRUE(result.conflict.missed[2].events.empty());
    EXPECT_TRUE(result.conflict.missed[2].end);
}

TEST_P(AppendContract, LetsNoAppendFollowOneThatIsNotCommittedWithIt) {
    add("cart-1", 2);
    const Append first = make_append("c-1", {write("cart-1", Expected::exactly(Version{1}))});
    Append second = make_append("c-2", {write("cart-1", Expected::exactly(Version{2}))});
    second.follows = "c-1";
    Append third = make_append("c-3", {write("cart-2", Expected::no_stream())},
                               {check("cart-1", Expected::exactly(Version{2}))});
    third.follows = "c-2";
    const std::vector group{first, second, third};
    for (const AppendResult& result : store().append(group)) {
        EXPECT_EQ(result.kind, AppendResult::Kind::conflict);
    }
    EXPECT_EQ(read_all("cart-1").size(), 2U);
    EXPECT_TRUE(read_all("cart-2").empty());

    EXPECT_EQ(store().append(second).kind, AppendResult::Kind::conflict) << "not in its group";
    second.follows.clear();
    EXPECT_EQ(store().append(second).kind, AppendResult::Kind::committed);
}

TEST_P(AppendContract, LetsNoAppendFollowOneThatWasCommittedBefore) {
    const Append first = make_append("c-1", {write("cart-1", Expected::no_stream())});
    Append second = make_append("c-2", {write("cart-1", Expected::exactly(Version{1}))});
    second.follows = "c-1";
    ASSERT_EQ(store().append(first).kind, AppendResult::Kind::committed);
    const auto results = store().append(std::vector{first, second});
    EXPECT_EQ(results[0].kind, AppendResult::Kind::repeated);
    EXPECT_EQ(results[1].kind, AppendResult::Kind::conflict);
}

TEST_P(AppendContract, LetsAppendsFollowEachOther) {
    std::vector<Append> group{make_append("c-1", {write("cart-1", Expected::no_stream())}),
                              make_append("c-2", {write("cart-1", Expected::exactly(Version{1}))})};
    group[1].follows = "c-1";
    for (const AppendResult& result : store().append(group)) {
        EXPECT_EQ(result.kind, AppendResult::Kind::committed);
    }
    for (const AppendResult& result : store().append(group)) {
        EXPECT_EQ(result.kind, AppendResult::Kind::repeated) << "an outcome is looked for first";
    }
}

TEST_P(AppendContract, BringsNothingMissedToWhoDoesNotAsk) {
    add("cart-1", 2);
    const AppendResult result =
        store().append(make_append("c-1", {write("cart-1", Expected::no_stream())}));
    EXPECT_EQ(result.conflict.failed.size(), 1U);
    EXPECT_TRUE(result.conflict.missed.empty());
}

TEST_P(AppendContract, BringsWhatEarlierAppendsOfTheGroupWrote) {
    const std::vector<Append> group{
        make_append("c-1", {write("cart-1", Expected::no_stream(), 2)}),
        wanting(make_append("c-2", {write("cart-1", Expected::no_stream())}), 10)};
    const auto results = store().append(group);
    EXPECT_EQ(results[0].kind, AppendResult::Kind::committed);
    ASSERT_EQ(results[1].kind, AppendResult::Kind::conflict);
    ASSERT_EQ(results[1].conflict.missed.size(), 1U);
    EXPECT_THAT(versions(results[1].conflict.missed[0].events), ElementsAre(1, 2));
}

}  // namespace
}  // namespace recount::test
