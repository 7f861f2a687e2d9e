#include <gtest/gtest.h>

#include "world.hpp"

namespace recount::test::projections {

/// Before there were quantities and prices.
inline ItemAdded upcast(const ItemAddedV1& old) { return added(old.sku(), 1, 0); }

namespace {

using namespace std::string_literals;

struct OldCarts : Carts {
    static constexpr std::string_view name = "old_carts";
    using Older = recount::Older<ItemAddedV1, Renamed<"shop.TakenOut", ItemRemoved>>;
};

struct OldSales {
    static constexpr std::string_view name = "old_sales";
    static constexpr int version = 1;
    using Event = recount::Events<ItemAdded>;
    using Older = recount::Older<ItemAddedV1>;
    static void create(Sql& sql) { sql.exec("create table sale (sku text, quantity bigint)"); }
    static void on(const ItemAdded& event, const Recorded&, Sql& sql) {
        sql.exec("insert into sale values ($1, $2)", event.sku(), event.quantity());
    }
};

class EventsOfOlderTypes : public testing::TestWithParam<std::string> {
protected:
    EventsOfOlderTypes() {
        // Byte for byte as they were recorded: an item, one taken out, and one of today.
        world.append("cart-1", {{ItemAddedV1::descriptor()->full_name(), "\x0a\x03mug"s},
                                {"shop.TakenOut", removed("mug").SerializeAsString()},
                                new_event(added("cup", 2))});
        static_cast<void>(world.store().close_stream(StreamName::parse("cart-1")));
        world.store().erase(StreamName::parse("cart-1"), Version{4}, Version{4});
    }
    World world{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(On, EventsOfOlderTypes, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(EventsOfOlderTypes, ReachAKeyedViewAsWhatTheyBecame) {
    Projector<OldCarts> projector{world.store()};
    EXPECT_EQ(projector.catch_up().parked, 0) << "nor does a closed stream matter to a view";
    const auto row = View<OldCarts>{world.store()}.get("1");
    ASSERT_TRUE(row);
    EXPECT_EQ(row->items(), 2);
    EXPECT_EQ(row->last_sku(), "cup");
    EXPECT_EQ(row->lines_size(), 2);
}

TEST_P(EventsOfOlderTypes, ReachASqlViewAsWhatTheyBecame) {
    Projector<OldSales> projector{world.store()};
    EXPECT_EQ(projector.catch_up().events, 2);
}

TEST_P(EventsOfOlderTypes, AreNothingToAViewThatDoesNotListThem) {
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    EXPECT_EQ(View<Carts>{world.store()}.get("1")->items(), 2);
}

}  // namespace
}  // namespace recount::test::projections
