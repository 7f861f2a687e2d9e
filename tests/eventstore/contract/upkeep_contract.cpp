#include "eventstore/contract/store_contract.hpp"

#include <recount/core/error.hpp>
#include <recount/core/fold.hpp>
#include <recount/core/ids.hpp>

#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <limits>
#include <thread>
#include <vector>

#include "store_base.hpp"

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = AppendResult::Kind;

std::vector<std::string> names(const std::vector<StreamHead>& heads) {
    std::vector<std::string> names;
    for (const StreamHead& head : heads) names.push_back(head.stream.full());
    return names;
}

TEST_P(UpkeepContract, ListsStreamsInOrderOfTheirBytes) {
    for (const char* name : {"cart-b", "cart-a", "cart-B", "cart-\xc3\xa9", "carta-1", "stock-1"}) {
        add(name, 2);
    }
    add("cart-a");
    EXPECT_THAT(names(store().list_streams("", "", 100)),
                ElementsAre("cart-B", "cart-a", "cart-b", "cart-\xc3\xa9", "carta-1", "stock-1"));
    EXPECT_THAT(store().list_streams("cart", "cart-B", 1),
                ElementsAre(StreamHead{stream("cart-a"), {3}}));
    EXPECT_THAT(names(store().list_streams("cart", "", 100)),
                ElementsAre("cart-B", "cart-a", "cart-b", "cart-\xc3\xa9"));
    EXPECT_THAT(names(store().list_streams("", "cart-\xc3\xa9", 1)), ElementsAre("carta-1"));
    EXPECT_THAT(store().list_streams("car", "", 100), IsEmpty());
    EXPECT_THAT(store().list_streams("cart", "carta", 100), IsEmpty());
    EXPECT_THROW(store().list_streams("cart-a", "", 100), InvalidArgument);
}

TEST_P(UpkeepContract, ListsStreamsWhoseNamesAreHostile) {
    for (const std::string& id : hostile_ids()) add("cart-" + id);
    std::vector<std::string> seen;
    for (std::string after;;) {
        const auto page = store().list_streams("cart", after, 3);
        if (page.empty()) break;
        for (const std::string& name : names(page)) seen.push_back(name);
        after = seen.back();
    }
    EXPECT_THAT(seen, SizeIs(hostile_ids().size()));
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_P(UpkeepContract, AnswersForNamesThatCannotBeThere) {
    add("cart-1");
    for (const std::string& name : {std::string{"\xff"}, std::string{"a\0b", 3}}) {
        EXPECT_FALSE(store().find_outcome(name));
        EXPECT_FALSE(store().schema(name, 1));
        EXPECT_THROW(store().list_streams(name, "", 1), InvalidArgument);
        EXPECT_THROW(store().list_streams("", name, 1), InvalidArgument);
    }
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    EXPECT_EQ(store().maintain({.step = most}).outcomes, 0);
    EXPECT_EQ(store().list_streams("", "", most).size(), 1U);
}

/// Servers take 0 for none, and refuse what their clocks cannot count.
TEST_P(UpkeepContract, TakesAnyTimeout) {
    for (const Duration timeout : {Duration{0}, Duration{-1}, Duration{500}}) {
        try {
            reopen_with({.timeout = timeout});
            add("cart-1");
        } catch (const Error& error) {
            EXPECT_TRUE(error.retryable()) << error.what();  // it was too short
        }
    }
    reopen_with({.timeout = Duration::max()});
    add("cart-1");
    EXPECT_EQ(read_all("cart-1").size(), 1U);
}

TEST_P(UpkeepContract, ErasesPayloadsAndKeepsTheChain) {
    add("cart-1", 5);
    add("cart-2", 2);
    const auto before = read_all("cart-1");
    EXPECT_EQ(store().erase(stream("cart-1"), {2}, {3}), 2);
    reopen();
    const auto after = read_all("cart-1");
    EXPECT_THAT(payloads(after),
                ElementsAre("cart-1/1", "erased", "erased", "cart-1/4", "cart-1/5"));
    EXPECT_TRUE(after[1].erased());
    EXPECT_THAT(after[1].salt, IsEmpty());
    EXPECT_EQ(after[1].hash, before[1].hash);
    EXPECT_EQ(after[1].envelope, before[1].envelope);
    std::int64_t verified = 0;
    for (const LogHead& head : store().verify_chain()) verified += head.n;
    EXPECT_EQ(verified, 7);
    EXPECT_THAT(payloads(read_all("cart-2")), ElementsAre("cart-2/1", "cart-2/2"));
    EXPECT_EQ(store().erase(stream("cart-1"), {1}, {3}), 1);  // again, and one more
    EXPECT_EQ(store().erase(stream("cart-1"), {1}, {3}), 0);
    add("cart-1");
    EXPECT_EQ(read_all("cart-1").back().at.version, Version{6});
    store().verify_chain();
}

TEST_P(UpkeepContract, TruncatesWhatPrecedesAVersion) {
    add("cart-1", 1000);
    add("cart-1", 300);
    for (const std::int64_t none : {std::numeric_limits<std::int64_t>::min(), std::int64_t{1}}) {
        EXPECT_EQ(store().truncate(stream("cart-1"), {none}), 0);
    }
    EXPECT_THAT([&] { store().truncate(stream("cart-1"), {1299}); },
                ThrowsMessage<InvalidArgument>(
                    HasSubstr("cart-1 has no snapshot that reaches version 1298")));
    EXPECT_EQ(payloads(read_all("cart-1")).front(), "cart-1/1");
    EXPECT_EQ(store().truncate(stream("cart-1"), {1299}, NoSnapshot::accepted), 1298);
    const auto left = payloads(read_all("cart-1"));
    EXPECT_EQ(std::count(left.begin(), left.end(), "erased"), 1298);
    EXPECT_EQ(left.back(), "cart-1/300");
    constexpr Version all{std::numeric_limits<std::int64_t>::max()};
    EXPECT_EQ(store().truncate(stream("cart-1"), all, NoSnapshot::accepted), 2);
    EXPECT_EQ(store().truncate(stream("cart-404"), all), 0);
    EXPECT_EQ(store().erase(stream("cart-404"), {1}, {9}), 0);
    store().verify_chain();
}

struct Tally {
    [[maybe_unused]] static constexpr std::string_view category = "cart";
    using Event = Events<google::protobuf::Duration>;
    int happened = 0, erased = 0;
};
Tally evolve(Tally tally, const google::protobuf::Duration&) {
    ++tally.happened;
    return tally;
}
Tally evolve(Tally tally, const Erased& event) {
    EXPECT_EQ(event.type, "google.protobuf.Duration");
    ++tally.erased;
    return tally;
}

TEST_P(UpkeepContract, AFoldMeetsWhatIsErased) {
    Append append = make_append("a", {{stream("cart-1"), Expected::any(), {}}});
    append.writes[0].events.assign(3, new_event(google::protobuf::Duration{}));
    ASSERT_EQ(store().append(append).kind, Kind::committed);
    store().truncate(stream("cart-1"), {3}, NoSnapshot::accepted);  // an empty payload is one, too
    Tally tally;
    for (const RecordedEvent& event : read_all("cart-1")) tally = fold(std::move(tally), event);
    EXPECT_EQ(tally.happened, 1);
    EXPECT_EQ(tally.erased, 2);
}

TEST_P(RetentionContract, PastTheHorizonACommandIsRefusedForEver) {
    const Append old = make_append(new_id(), {write("cart-1")});
    const std::string never = new_id();
    ASSERT_EQ(store().append(old).kind, Kind::committed);
    clock_.move(std::chrono::hours{8 * 24});
    const Append young = make_append(new_id(), {write("cart-1")});
    ASSERT_EQ(store().append(young).kind, Kind::committed);

    EXPECT_EQ(store().append(old).kind, Kind::repeated);
    const Maintained done = store().maintain({.step = 1});
    EXPECT_EQ(done.outcomes, 1);
    EXPECT_FALSE(store().find_outcome(old.metadata.command_id));
    for (const Append& late : {old, make_append(never, {write("cart-2")}),
                               make_refusal(never, {check("cart-2", Expected::no_stream())})}) {
        const std::vector<Append> group{late, make_append(new_id(), {write("cart-3")})};
        const auto results = store().append(group);
        EXPECT_EQ(results[0].kind, Kind::expired);
        EXPECT_THAT(results[0].message, HasSubstr(late.metadata.command_id));
        EXPECT_EQ(results[1].kind, Kind::committed);
        EXPECT_THROW(static_cast<void>(store().append(late)), CommandExpired);
        EXPECT_THROW(store().void_command(late.metadata.command_id), CommandExpired);
    }
    EXPECT_EQ(store().append(young).kind, Kind::repeated);
    EXPECT_EQ(count_events(), 5);
    reopen();
    EXPECT_THROW(static_cast<void>(store().append(old)), CommandExpired);
    EXPECT_THROW(store().void_command(never), CommandExpired);
}

TEST_P(RetentionContract, AnIdWithoutABirthIsProtectedForTheRetentionOnly) {
    const Append named = make_append("order-17", {write("cart-1")});
    ASSERT_EQ(store().append(named).kind, Kind::committed);
    clock_.move(std::chrono::hours{6 * 24});
    EXPECT_EQ(store().maintain().outcomes, 0);
    EXPECT_EQ(store().append(named).kind, Kind::repeated);
    clock_.move(std::chrono::hours{2 * 24});
    EXPECT_EQ(store().maintain().outcomes, 1);
    EXPECT_EQ(store().append(named).kind, Kind::committed);
}

/// Lets a test do what maintain() does once it has found what is old.
struct Forgetting : StoreBase {
    using StoreBase::forget_outcomes;
};

TEST_P(RetentionContract, AnIdThatIsUsedAgainIsNotForgottenByWhoFoundItOld) {
    const Append named = make_append("order-17", {write("cart-1")});
    ASSERT_EQ(store().append(named).kind, Kind::committed);
    clock_.move(std::chrono::hours{8 * 24});
    EXPECT_EQ(store().maintain().outcomes, 1);
    ASSERT_EQ(store().append(named).kind, Kind::committed);
    auto& slower = dynamic_cast<StoreBase&>(store());
    (slower.*(&Forgetting::forget_outcomes))({"order-17"});
    EXPECT_EQ(store().append(named).kind, Kind::repeated);
}

TEST_P(RetentionContract, AnIdBornAheadOfItsRecordIsKeptUntilTheHorizonHasPassedItsBirth) {
    MovedClock ahead;
    ahead.move(std::chrono::hours{24});
    const Append early = make_append(to_string(new_uuid7(ahead.environment())), {write("cart-1")});
    ASSERT_EQ(store().append(early).kind, Kind::committed);
    clock_.move(std::chrono::hours{7 * 24 + 12});
    EXPECT_EQ(store().maintain().outcomes, 0);
    EXPECT_EQ(store().append(early).kind, Kind::repeated);
    clock_.move(std::chrono::hours{13});
    EXPECT_EQ(store().maintain().outcomes, 1);
    EXPECT_THROW(static_cast<void>(store().append(early)), CommandExpired);
}

TEST_P(RetentionContract, IsKeptByAnyThread) {
    constexpr int commands = 400;
    for (int i = 0; i < commands; ++i) {
        ASSERT_EQ(store().append(make_append(new_id(), {write("cart-1")})).kind, Kind::committed);
    }
    clock_.move(std::chrono::hours{8 * 24});
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] { store().maintain({.step = 7}); });
        }
    }
    EXPECT_EQ(store().maintain().outcomes, 0);
}

TEST_P(RetentionContract, TheHorizonNeverRunsBack) {
    clock_.move(std::chrono::hours{24});
    const Timestamp horizon = store().maintain({.keep_outcomes = std::chrono::hours{1}}).horizon;
    EXPECT_EQ(store().maintain().horizon, horizon);
    EXPECT_THROW(store().maintain({.keep_outcomes = std::chrono::minutes{59}}), InvalidArgument);
}

}  // namespace
}  // namespace recount::test
