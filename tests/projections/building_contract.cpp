#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <atomic>
#include <functional>
#include <thread>

#include "support/eventually.hpp"
#include "world.hpp"

namespace recount::test::projections {
namespace {

/// The next version of Carts, which lets something happen before it takes an event.
struct NextCarts : Carts {
    static constexpr int version = 2;
    static inline std::function<void(int event)> before;
    static inline std::atomic<int> told = 0;

    using Carts::evolve;
    static void evolve(CartRow& row, const ItemAdded& event, const Recorded& at) {
        before(++told);
        Carts::evolve(row, event, at);
    }
};

class AViewThatIsBeingBuilt : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(On, AViewThatIsBeingBuilt, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(AViewThatIsBeingBuilt, LetsTheLivingOnesGoOnMeanwhile) {
    World world{GetParam(), 2};
    for (int count = 0; count < 20; ++count) world.append("cart-1", added("a"));
    Projector<Counts, Carts>{world.store()}.catch_up();
    const auto shown = [&] {
        try {
            View<Counts>{world.store()}.query(strong().fail(), "select 1 as one");
            return true;
        } catch (const NotThereYet&) {
            return false;
        }
    };
    std::atomic<bool> seen = false;
    NextCarts::told = 0;
    NextCarts::before = [&](int event) {
        if (event == 5) world.append("cart-1", added("b"));
        if (event == 15) seen = eventually(shown, std::chrono::seconds{10});
    };
    Projector<Counts, NextCarts> projector{world.store(), {.page_events = 4}};
    {
        std::jthread running{[&](std::stop_token stop) { projector.run(stop); }};
        View<NextCarts> view{world.store()};
        EXPECT_TRUE(eventually([&] { return view.get("1").version == 2; }));
    }
    EXPECT_TRUE(seen);
    projector.catch_up();
    EXPECT_EQ(rows<NextCarts>(world.store()), pure_carts(world.store()));
    EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
}

/// One that there never was, and is read while it is built.
struct NewCarts : NextCarts {
    static constexpr std::string_view name = "new_carts";
    static constexpr int version = 1;
};

TEST_P(AViewThatIsBeingBuilt, LetsTheOthersGoOnWhenItIsNew) {
    World world{GetParam(), 2};
    for (int count = 0; count < 20; ++count) world.append("cart-1", added("a"));
    Projector<Counts>{world.store()}.catch_up();
    const auto shown = [&] {
        try {
            View<Counts>{world.store()}.query(strong().fail(), "select 1 as one");
            return true;
        } catch (const NotThereYet&) {
            return false;
        }
    };
    std::atomic<bool> seen = false;
    NextCarts::told = 0;
    NextCarts::before = [&](int event) {
        if (event == 5) world.append("cart-1", added("b"));
        if (event == 15) seen = shown();
    };
    Projector<Counts, NewCarts> projector{world.store(), {.page_events = 4}};
    {
        std::jthread running{[&](std::stop_token stop) { projector.run(stop); }};
        EXPECT_TRUE(eventually([&] { return NextCarts::told >= 21; }));
    }
    EXPECT_TRUE(seen);
}

/// Each row of one stream, and then of others as well.
struct OfOneStream : Carts {
    static constexpr std::string_view name = "joined";
    static constexpr std::string_view category = "cart";
};
struct OfManyStreams : Carts {
    static constexpr std::string_view name = "joined";
    static constexpr int version = 2;
    template <class E>
    static std::string key_of(const E&, const Recorded&) {
        return "1";
    }
};

TEST_P(AViewThatIsBeingBuilt, IsReadByOldCodeAsItsRowsAreFedOnceItIsLive) {
    World world{GetParam()};
    world.append("cart-1", added("mug"));
    Projector<OfOneStream>{world.store()}.catch_up();
    Projector<OfManyStreams> next{world.store()};
    next.catch_up();
    View<OfOneStream> old{world.store()};
    ASSERT_EQ(old.get("1").version, 2);
    for (int other = 0; other < 8; ++other) {  // in any partition
        Session session;
        session.saw(world.append("order-" + std::to_string(other), added("mug")));
        EXPECT_THROW(old.get("1", recount::session(session).fail()), NotThereYet) << other;
        EXPECT_THROW(old.get("1", recount::strong().fail()), NotThereYet) << other;
        EXPECT_THROW(old.get("1", recount::bounded(0, Duration::max()).fail()), NotThereYet);
        next.catch_up();
        EXPECT_EQ(old.get("1", recount::session(session).fail())->items(), other + 2);
    }
}

}  // namespace
}  // namespace recount::test::projections
