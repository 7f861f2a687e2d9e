#include <gtest/gtest.h>

#include <thread>

#include "world.hpp"

namespace recount::test::projections {
namespace {

class AProjector : public testing::TestWithParam<std::string> {
protected:
    World world{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(On, AProjector, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(AProjector, TellsKeyedAndSqlViewsFromTheLog) {
    append_random(world, 1, 60);
    Projector<Carts, Skus, Counts> projector{world.store()};
    const Applied applied = projector.catch_up();

    EXPECT_GT(applied.events, 100);
    EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
    EXPECT_EQ(rows<Skus>(world.store()), pure_skus(world.store()));
    EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
    EXPECT_EQ(projector.catch_up().events, 0);
}

TEST_P(AProjector, GoesOnWhereItEnded) {
    for (std::uint32_t round = 0; round < 4; ++round) {
        append_random(world, round, 20);
        Projector<Carts, Counts> projector{world.store(), {.page_events = 7}};
        EXPECT_GT(projector.catch_up().events, 0);
    }
    EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
    EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
}

TEST_P(AProjector, GivesTheSameRowsForEveryPageSize) {
    append_random(world, 3, 50);
    std::optional<SqlResult> first;
    for (const std::size_t page : {1U, 2U, 5U, 64U, 10000U}) {
        if (first) request_rebuild(world.store(), "carts");
        Projector<Carts> projector{world.store(), {.page_events = page}};
        EXPECT_GT(projector.catch_up().events, 0);
        View<Carts> view{world.store()};
        const SqlResult all = view.query(eventual(), "select * from carts order by _key").result;
        if (!first) first = all;
        EXPECT_EQ(all.rows, first->rows) << "page of " << page;
        ASSERT_GT(all.size(), 0U);
    }
}

/// Names its row as often as there are pieces.
struct Pieces {
    static constexpr std::string_view name = "pieces";
    static constexpr int version = 1;
    using Row = SkuRow;
    using Event = recount::Events<ItemAdded>;

    static std::vector<std::string> keys_of(const ItemAdded& event, const Recorded&) {
        std::vector<std::string> keys(static_cast<std::size_t>(event.quantity()), event.sku());
        keys.insert(keys.begin() + 1, "all");
        return keys;
    }
    static void evolve(SkuRow& row, const ItemAdded& event, const Recorded&) {
        row.set_added(row.added() + event.quantity());
    }
};

TEST_P(AProjector, CountsAnEventOnceInARowThatItNamesTwice) {
    world.append("cart-1", added("mug", 3), added("pen", 2));
    Projector<Pieces>{world.store()}.catch_up();
    View<Pieces> view{world.store()};
    EXPECT_EQ(view.get("mug")->added(), 3);
    EXPECT_EQ(view.get("pen")->added(), 2);
    EXPECT_EQ(view.get("all")->added(), 5);
}

TEST_P(AProjector, CountsTheEventsOfARowInItsHiddenRevision) {
    world.append("cart-1", added("a"), added("b"));
    world.append("cart-1", checked_out(), added("c"));
    world.append("cart-1", removed("c"));
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    View<Carts> view{world.store()};
    const auto read =
        view.query(eventual(), "select _revision, items from carts where _key = $1", "1");
    ASSERT_EQ(read.result.size(), 1U);
    EXPECT_EQ(read.result.integer(0, 0), 2);  // since the row was begun anew
    EXPECT_EQ(read.result.integer(0, 1), 0);
}

TEST_P(AProjector, GivesColumnsToAnySqlClient) {
    world.append("cart-1", added("mug", 2, 500));
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    View<Carts> view{world.store()};
    const auto read = view.query(
        eventual(), "select items, total, last_sku, lines, first_price from carts where total > $1",
        999);
    ASSERT_EQ(read.result.size(), 1U);
    EXPECT_EQ(read.result.integer(0, 0), 2);
    EXPECT_EQ(read.result.text(0, 2), "mug");
    EXPECT_EQ(read.result.text(0, 3), R"([{"sku":"mug","quantity":"2"}])");
    EXPECT_EQ(read.result.integer(0, 4), 500);
}

TEST_P(AProjector, BringsALaterViewUpToTheOthers) {
    append_random(world, 5, 40);
    {
        Projector<Carts> early{world.store()};
        early.catch_up();
    }
    append_random(world, 6, 10);
    Projector<Carts, Counts> both{world.store(), {.page_events = 16}};
    both.catch_up();
    EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
    EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
}

TEST_P(AProjector, SaysWhereEachViewStands) {
    world.append("cart-1", added("a"), added("b"));
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    world.append("cart-1", added("c"));
    const auto status = projector.status();
    ASSERT_EQ(status.size(), 1U);
    EXPECT_EQ(status[0].view, "carts");
    EXPECT_TRUE(status[0].live);
    EXPECT_EQ(status[0].state, ViewStatus::State::running);
    const auto& at = status[0].partitions.at(partition_of("cart-1", 4).value);
    EXPECT_EQ(at.position, 2);
    EXPECT_EQ(at.head, 3);
    EXPECT_EQ(at.behind, 1);
    ASSERT_TRUE(at.age.has_value());
    EXPECT_GT(at.age->count(), 0);
}

TEST_P(AProjector, RunsUntilAsked) {
    Projector<Carts> projector{world.store()};
    RunEnd end;
    {
        std::jthread running{[&](std::stop_token stop) { end = projector.run(stop); }};
        Session session;
        session.saw(world.append("cart-1", added("a", 3)));
        View<Carts> view{world.store()};
        EXPECT_EQ(
            view.get("1", recount::session(session).wait_for(std::chrono::seconds{30}))->items(),
            3);
    }
    EXPECT_TRUE(end.asked);
}

TEST_P(AProjector, RefusesTwoViewsOfOneName) {
    EXPECT_THROW((Projector<Carts, Carts>{world.store()}), InvalidArgument);
}

TEST_P(AProjector, OfALogNeedsToBeToldWhereItsViewsAre) {
    Log& log = world.store();
    EXPECT_THROW((Projector<Carts>{log, {}}), InvalidArgument);
    EXPECT_THROW((View<Carts>{log, {}}), InvalidArgument);
}

TEST_P(AProjector, IsListedWithItsTables) {
    append_random(world, 2, 20);
    Projector<Carts, Counts> projector{world.store()};
    projector.catch_up();
    const auto views = list_views(world.store());
    ASSERT_EQ(views.size(), 2U);
    EXPECT_EQ(views[0].view, "carts");
    EXPECT_EQ(views[0].state, "current");
    EXPECT_EQ(views[0].generation, 1);
    EXPECT_EQ(views[0].tables,
              (std::vector<std::string>{"_checkpoint", "_generation", "_parked", "carts"}));
    EXPECT_EQ(views[1].tables.back(), "counts");
    Positions heads{4};
    for (const RecordedEvent& event : all_events(world.store())) heads.raise(event.at.position);
    EXPECT_EQ(views[0].checkpoint, heads);
    if (world.stored()) {
        EXPECT_EQ(list_views(world.url()).size(), 2U);
    } else {
        EXPECT_THROW(list_views(world.url()), InvalidArgument);
    }
}

TEST_P(AProjector, ListsNothingWhereNoViewIs) { EXPECT_TRUE(list_views(world.store()).empty()); }

}  // namespace
}  // namespace recount::test::projections
