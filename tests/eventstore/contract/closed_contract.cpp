#include <recount/core/error.hpp>

#include "eventstore/contract/store_contract.hpp"

namespace recount::test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

AppendResult ClosedContract::close(const std::string& name, const std::string& id) {
    return store().close_stream(stream(name), {.command_id = id}, "settled");
}

AppendResult ClosedContract::append_one(const Append& append) {
    return store().append(std::span{&append, 1}).front();
}

void ClosedContract::takes_nothing(const std::string& name, Version head) {
    for (const Expected& expected :
         {Expected::any(), Expected::exists(), Expected::no_stream(), Expected::exactly(head),
          Expected::exactly(Version{head.value - 1})}) {
        const AppendResult refused =
            append_one(make_append("late-" + std::to_string(++ids_), {write(name, expected)}));
        ASSERT_EQ(refused.kind, AppendResult::Kind::closed) << to_string(expected);
        ASSERT_EQ(refused.conflict.failed.size(), 1U);
        EXPECT_EQ(refused.conflict.failed[0], (FailedCheck{stream(name), expected, head, true}));
        EXPECT_THAT(refused.message, HasSubstr("closed at version " + std::to_string(head.value)));
    }
    const StreamPage page = store().read_stream(stream(name));
    EXPECT_EQ(page.head, head);
    EXPECT_TRUE(page.closed);
}

namespace {

TEST_P(ClosedContract, EndsWithAnEventOfTheLogAndTakesNothingMore) {
    add("cart-1", 2);
    EXPECT_FALSE(store().read_stream(stream("cart-1")).closed);
    const AppendResult closed = close("cart-1");
    ASSERT_EQ(closed.kind, AppendResult::Kind::committed);
    EXPECT_EQ(closed.outcome->streams.at(0).last, Version{3});
    EXPECT_EQ(read_all("cart-1").at(2).at.type, stream_closed_type);
    takes_nothing("cart-1", Version{3});
    reopen();
    takes_nothing("cart-1", Version{3});
    EXPECT_EQ(count_events(), 3);
    store().verify_chain();
}

TEST_P(ClosedContract, ThrowsWhereOneAppendIsSent) {
    add("cart-1");
    static_cast<void>(close("cart-1"));
    EXPECT_THROW(static_cast<void>(store().append(make_append("late", {write("cart-1")}))),
                 StreamClosed);
    EXPECT_FALSE(store().find_outcome("late")) << "nothing is remembered of it";
}

TEST_P(ClosedContract, IsClosedOnceUnderItsCommand) {
    add("cart-1");
    const AppendResult first = close("cart-1", "c-1");
    const AppendResult again = close("cart-1", "c-1");
    EXPECT_EQ(again.kind, AppendResult::Kind::repeated);
    EXPECT_EQ(again.outcome, first.outcome);
    EXPECT_EQ(close("cart-1", "c-2").kind, AppendResult::Kind::closed);
    EXPECT_THROW(static_cast<void>(store().close_stream(stream("cart-2"), {.command_id = "c-1"})),
                 CommandReused);
    EXPECT_EQ(count_events(), 2);
}

TEST_P(ClosedContract, MustHaveBeenThereUnlessToldOtherwise) {
    EXPECT_EQ(close("cart-1").kind, AppendResult::Kind::conflict);
    EXPECT_EQ(store().close_stream(stream("cart-1"), {}, "", Expected::no_stream()).kind,
              AppendResult::Kind::committed);
    takes_nothing("cart-1", Version{1});
}

TEST_P(ClosedContract, StaysClosedWhenItsEventsAreErased) {
    add("cart-1", 3);
    static_cast<void>(close("cart-1"));
    store().truncate(stream("cart-1"), Version{3}, NoSnapshot::accepted);
    takes_nothing("cart-1", Version{4});
    store().erase(stream("cart-1"), Version{1}, Version{4});
    reopen();
    takes_nothing("cart-1", Version{4});
}

TEST_P(ClosedContract, IsClosedToLaterAppendsOfTheSameGroup) {
    add("cart-1");
    Append closing = make_append("c-1", {write("cart-1"), write("cart-2")});
    closing.writes[0].events.push_back(closing_event());
    closing.request = request_hash(closing);
    const std::vector<Append> group{
        closing, make_append("c-2", {write("cart-1")}), make_append("c-3", {write("cart-2")}),
        make_append("c-4", {write("cart-3")}, {check("cart-1", Expected::exactly(Version{3}))})};
    const auto results = store().append(group);
    EXPECT_EQ(results[0].kind, AppendResult::Kind::committed);
    EXPECT_EQ(results[1].kind, AppendResult::Kind::closed);
    EXPECT_EQ(results[2].kind, AppendResult::Kind::committed);
    EXPECT_EQ(results[3].kind, AppendResult::Kind::committed) << "it may still be checked";
    takes_nothing("cart-1", Version{3});
}

TEST_P(ClosedContract, NamesAllThatFailed) {
    add("cart-1");
    add("cart-2");
    static_cast<void>(close("cart-1"));
    const AppendResult refused = append_one(make_append(
        "c-1", {write("cart-2", Expected::no_stream()), write("cart-1"), write("cart-3")}));
    EXPECT_EQ(refused.kind, AppendResult::Kind::closed);
    EXPECT_THAT(refused.conflict.failed,
                ElementsAre(FailedCheck{stream("cart-2"), Expected::no_stream(), Version{1}, false},
                            FailedCheck{stream("cart-1"), Expected::any(), Version{2}, true}));
    EXPECT_EQ(read_all("cart-3").size(), 0U);
}

TEST_P(ClosedContract, IsClosedForWhoBelievesToKnowItsVersion) {
    if (!place_->lasts()) GTEST_SKIP() << "a second program cannot open it";
    add("cart-1");
    add("cart-1");  // by now its version and head are known to this process
    if (GetParam().name == "Sqlite") GTEST_SKIP() << "one process writes";
    const auto other = place_->open({});
    static_cast<void>(other->close_stream(stream("cart-1"), {.command_id = "theirs"}));
    takes_nothing("cart-1", Version{3});
    const auto third = place_->open({});
    Append late = make_append("late", {write("cart-1", Expected::exactly(Version{3}))});
    EXPECT_EQ(third->append(std::span{&late, 1}).front().kind, AppendResult::Kind::closed);
}

TEST_P(ClosedContract, IsListedAsSuch) {
    add("cart-1");
    add("cart-2");
    static_cast<void>(close("cart-1"));
    EXPECT_THAT(store().list_streams("cart", "", 10),
                ElementsAre(StreamHead{stream("cart-1"), Version{2}, true},
                            StreamHead{stream("cart-2"), Version{1}, false}));
}

TEST_P(ClosedContract, HasNothingBehindItsEnd) {
    Append append = make_append("c-1", {write("cart-1")});
    append.writes[0].events.insert(append.writes[0].events.begin(), closing_event());
    EXPECT_THROW(static_cast<void>(store().append(append)), InvalidArgument);
    EXPECT_EQ(count_events(), 0);
}

}  // namespace
}  // namespace recount::test
