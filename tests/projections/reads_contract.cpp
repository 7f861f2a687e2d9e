#include <gtest/gtest.h>

#include <recount/core/ids.hpp>

#include <future>
#include <thread>

#include "world.hpp"

namespace recount::test::projections {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ARead : public testing::TestWithParam<std::string> {
protected:
    World world{GetParam()};
    Session session;
    template <class Call>
    std::string refusal(Call&& call) {
        try {
            call();
        } catch (const NotThereYet& error) {
            return error.what();
        }
        return "it was served";
    }
};
INSTANTIATE_TEST_SUITE_P(On, ARead, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(ARead, OfAViewThatWasNeverStartedIsStale) {
    View<Carts> view{world.store()};
    const auto read = view.get("1");
    EXPECT_FALSE(read);
    EXPECT_TRUE(read.stale);
    EXPECT_EQ(read.generation, 0);
    EXPECT_FALSE(read.lag.events.has_value());

    session.saw(world.append("cart-1", added("a")));
    EXPECT_NE(
        refusal([&] { view.get("1", recount::session(session).fail()); }).find("never started"),
        std::string::npos);
    EXPECT_TRUE(view.get("1", recount::session(session).serve_stale()).stale);
}

TEST_P(ARead, SaysWhatItShowsAndHowFarItIsBehind) {
    world.append("cart-1", added("a", 2));
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    View<Carts> view{world.store(), {.heads_age = Duration::zero()}};
    auto read = view.get("1");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->items(), 2);
    EXPECT_FALSE(read.stale);
    EXPECT_EQ(read.generation, 1);
    EXPECT_EQ(read.lag.events, 0);
    EXPECT_EQ(read.lag.time, Duration::zero());
    EXPECT_FALSE(read.served_by.empty());
    ASSERT_EQ(read.positions.size(), 1U);
    EXPECT_EQ(read.positions[0].positions[partition_of("cart-1", 4)], 1);

    world.append("cart-1", added("a"), added("b"));
    read = view.get("1");
    EXPECT_EQ(read.lag.events, 2);
    ASSERT_TRUE(read.lag.time.has_value());
    EXPECT_FALSE(view.get("unknown"));
}

TEST_P(ARead, InASessionShowsWhatTheSessionWroteOrSaysThatItCannot) {
    Projector<Carts> projector{world.store()};
    View<Carts> view{world.store()};
    session.saw(world.append("cart-1", added("a")));
    const std::string why = refusal([&] { view.get("1", recount::session(session).fail()); });
    EXPECT_NE(why.find("view carts"), std::string::npos) << why;
    EXPECT_NE(why.find("wanted position 1, reached 0"), std::string::npos) << why;
    EXPECT_NE(refusal([&] {
                  view.get("1", recount::session(session).wait_for(milliseconds{30}));
              }).find("wanted"),
              std::string::npos);
    const auto stale =
        view.get("1", recount::session(session).wait_for(milliseconds{5}).serve_stale());
    EXPECT_TRUE(stale.stale);
    EXPECT_NE(stale.why_stale.find("reached 0"), std::string::npos);
    projector.catch_up();
    const auto read = view.get("1", recount::session(session).fail());
    EXPECT_EQ(read->items(), 1);
    EXPECT_FALSE(read.stale);
}

TEST_P(ARead, WaitsUntilAProjectorOfThisProcessHasComeSoFar) {
    View<Carts> view{world.store()};
    session.saw(world.append("cart-1", added("a")));
    std::jthread later{[&] { Projector<Carts>{world.store()}.catch_up(); }};
    EXPECT_EQ(view.get("1", recount::session(session).wait_for(seconds{30}))->items(), 1);
}

TEST_P(ARead, WaitsAsLongAsThereIsTime) {
    world.append("cart-1", added("a"));
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    View<Carts> view{world.store()};
    const Consistency for_ever = recount::session(session).wait_for(Duration::max());
    EXPECT_EQ(view.get("1", for_ever)->items(), 1);
    session.saw(world.append("cart-1", added("a")));
    std::packaged_task<std::int64_t()> read{[&] { return view.get("1", for_ever)->items(); }};
    auto items = read.get_future();
    const std::jthread reading{std::move(read)};
    EXPECT_EQ(items.wait_for(milliseconds{50}), std::future_status::timeout);
    projector.catch_up();
    EXPECT_EQ(items.get(), 2);
}

TEST_P(ARead, MakesTheSessionGrowByWhatItShowed) {
    world.append("cart-1", added("a"));
    world.append("cart-2", added("a"));
    Projector<Carts, CategoryCarts> projector{world.store()};
    projector.catch_up();
    View<Carts> carts{world.store()};
    View<CategoryCarts> by_category{world.store()};

    Session one;
    by_category.get("1", recount::session(one));
    const auto seen = one.token().of(world.store().identity().id);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].positions.sum(), 1) << "a read by stream shows that stream's partition alone";

    carts.get("1", recount::session(session));
    EXPECT_EQ(session.token().of(world.store().identity().id)[0].positions.sum(), 2);
    by_category.list({}, recount::session(one));
    EXPECT_EQ(one.token(), session.token());
}

TEST_P(ARead, ByStreamNeedsThatStreamsPartitionAlone) {
    world.append("cart-1", added("a"));
    Projector<CategoryCarts> projector{world.store()};
    projector.catch_up();
    std::string other = "cart-2";
    while (partition_of(other, 4) == partition_of("cart-1", 4)) other += "x";
    session.saw(world.append(other, added("b")));
    View<CategoryCarts> view{world.store()};
    EXPECT_EQ(view.get("1", recount::session(session).fail())->items(), 1);
    EXPECT_THROW(view.list({}, recount::session(session).fail()), NotThereYet);
    EXPECT_THROW(view.get(other.substr(5), recount::session(session).fail()), NotThereYet);
}

TEST_P(ARead, IsNotFreshWhereAStreamIsParked) {
    const StorePositions before = world.append("cart-1", added("a"));
    Session early{}, late{};
    early.saw(before);
    late.saw(world.append("cart-1", removed("poison")));
    Projector<CategoryCarts> projector{world.store()};
    projector.catch_up();
    View<CategoryCarts> view{world.store()};
    EXPECT_EQ(view.get("1", recount::session(early).fail())->items(), 1);
    EXPECT_NE(refusal([&] { view.get("1", recount::session(late).fail()); }).find("parked"),
              std::string::npos);
    std::string neighbour = "cart-n";
    while (partition_of(neighbour, 4) != partition_of("cart-1", 4)) neighbour += "x";
    late.saw(world.append(neighbour, added("b", 5)));
    projector.catch_up();
    EXPECT_EQ(view.get(neighbour.substr(5), recount::session(late).fail())->items(), 5)
        << "another stream of the partition is complete";
    EXPECT_THROW(view.list({}, recount::session(late).fail()), NotThereYet);

    const auto list = view.list();
    EXPECT_EQ(list.lag.events, 0);
    EXPECT_TRUE(list.stale);
    EXPECT_NE(list.why_stale.find("events from position"), std::string::npos) << list.why_stale;
    EXPECT_TRUE(view.get("1").stale);
    EXPECT_FALSE(view.get(neighbour.substr(5)).stale);
    Session fresh;
    fresh.saw(before);
    EXPECT_FALSE(view.get("1", recount::session(fresh).fail()).stale) << "it holds what was asked";
}

TEST_P(ARead, IsRefusedToASessionThatSawALostHistory) {
    world.append("cart-1", added("a"));
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    StorePositions lost{world.store().identity().id, new_uuid7(), Positions{4}};
    lost.positions.raise({Partition{0}, 1});
    session.saw(lost);
    View<Carts> view{world.store()};
    EXPECT_THROW(view.get("1", recount::session(session).wait_for(seconds{30})), Divergence);
    Session elsewhere;
    lost.store = new_uuid7();
    elsewhere.saw(lost);  // another store's positions are no business of this view
    EXPECT_TRUE(view.get("1", recount::session(elsewhere).fail()));
}

TEST_P(ARead, StrongShowsEverythingCommittedBeforeIt) {
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    View<Carts> view{world.store()};
    EXPECT_FALSE(view.get("1", strong().fail()));
    world.append("cart-1", added("a"));
    EXPECT_THROW(view.get("1", strong().fail()), NotThereYet);
    projector.catch_up();
    EXPECT_TRUE(view.get("1", strong().fail()));
    if (world.stored()) {
        Log& log = world.store();
        View<Carts> of_log{log, {.views = world.url()}};
        EXPECT_THROW(of_log.get("1", strong()), InvalidArgument);
        EXPECT_TRUE(of_log.get("1"));
    }
}

TEST_P(ARead, BoundedIsAtMostSoFarBehind) {
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    View<Carts> view{world.store()};
    world.append("cart-1", added("a"), added("b"));
    EXPECT_FALSE(view.get("1", bounded(2, std::chrono::hours{1}).fail()).stale);
    EXPECT_THROW(view.get("1", bounded(1, std::chrono::hours{1}).fail()), NotThereYet);
    EXPECT_THROW(view.get("1", bounded(5, Duration{0}).fail()), NotThereYet);
    projector.catch_up();
    EXPECT_TRUE(view.get("1", bounded(0, Duration{0}).fail()));
    EXPECT_THROW(View<Skus>(world.store()).get("a", bounded(9, std::chrono::hours{1}).fail()),
                 NotThereYet);
}

/// Of streams that there are none of: carts are "cart-…".
struct Astray : CategoryCarts {
    static constexpr std::string_view name = "astray";
    static constexpr std::string_view category = "carts";
};

TEST_P(ARead, SaysThatEventsAreOfAnotherCategoryThanTheViews) {
    Session wrote;
    wrote.saw(world.append("cart-1", added("a")));
    Projector<Astray>{world.store()}.catch_up();
    View<Astray> view{world.store()};
    const auto found = view.get("1");
    EXPECT_TRUE(found.stale);
    EXPECT_NE(found.why_stale.find("set aside"), std::string::npos) << found.why_stale;
    EXPECT_THROW(view.get("1", recount::session(wrote).fail()), NotThereYet);
    Session fresh;
    EXPECT_THROW(view.get("1", recount::session(fresh).fail()), NotThereYet);
}

struct Nameless : Carts {
    static constexpr std::string_view name = "nameless";
    static std::string key_of(const auto&, const Recorded& at) {
        return at.stream.id() == "1" ? "" : std::string{at.stream.id()};
    }
};

TEST_P(ARead, ListsTheRowWithoutAKeyFirst) {
    for (const char* stream : {"cart-1", "cart-2"}) world.append(stream, added("a"));
    Projector<Nameless>{world.store()}.catch_up();
    View<Nameless> view{world.store()};
    EXPECT_EQ(view.list({.limit = SIZE_MAX}).rows.size(), 2U);
    const auto first = view.list({.limit = 1});
    ASSERT_EQ(first.rows.size(), 1U);
    EXPECT_EQ(first.rows[0].first, "");
    EXPECT_EQ(view.list({.after_key = first.rows[0].first}).rows.at(0).first, "2");
}

TEST_P(ARead, ListsInOrderOfKey) {
    for (const char* key : {"b", "B", "a", "ä", "10", "9"}) {
        world.append("cart-" + std::string{key}, added("a"));
    }
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    View<Carts> view{world.store()};
    std::vector<std::string> keys;
    for (ListRows which{.limit = 4};; which.after_key = keys.back()) {
        const auto page = view.list(which);
        for (const auto& [key, row] : page.rows) keys.push_back(key);
        if (page.rows.size() < which.limit) break;
    }
    EXPECT_EQ(keys, (std::vector<std::string>{"10", "9", "B", "a", "b", "ä"}));
}

TEST_P(ARead, NeverSeesHalfAnEventsWorkNorGoesBack) {
    append_random(world, 21, 30);
    Projector<Carts, Counts> projector{world.store(), {.page_events = 3}};
    std::jthread projecting{[&](std::stop_token stop) { projector.run(stop); }};
    View<Counts> view{world.store()};
    std::int64_t before = 0;
    for (int round = 0; round < 60; ++round) {
        if (round % 6 == 0) append_random(world, 100 + static_cast<std::uint32_t>(round), 3);
        const auto read = view.query(recount::session(session).wait_for(seconds{30}),
                                     "select coalesce(max(times), 0), count(*) from counts");
        std::int64_t shown = 0;
        for (const auto& entry : read.positions) shown += entry.positions.sum();
        EXPECT_GE(shown, before);
        EXPECT_LE(read.result.integer(0, 0), 1);
        EXPECT_LE(read.result.integer(0, 1), shown);
        before = shown;
    }
}

}  // namespace
}  // namespace recount::test::projections
