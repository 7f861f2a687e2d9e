#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <filesystem>
#include <memory>
#include <utility>

#include "faults.hpp"
#include "interrupted_log.hpp"
#include "support/servers.hpp"
#include "world.hpp"

namespace recount::test::projections {
namespace {

/// The same view after its columns changed, with and without a new version.
struct CartsV2 {
    static constexpr std::string_view name = "carts";
    static constexpr int version = 2;
    using Row = CartRow2;
    using Event = recount::Events<ItemAdded, ItemRemoved, CheckedOut>;
    static inline int left = -1;  // events until the database is away; -1: never
    static void evolve(CartRow2& row, const ItemAdded& event, const Recorded&) {
        if (left == 0) throw Unavailable("away; try again");
        if (left > 0) --left;
        row.set_items(row.items() + event.quantity());
    }
    static void evolve(CartRow2& row, const ItemRemoved& event, const Recorded&) {
        row.set_items(row.items() - event.quantity());
        row.set_removals(row.removals() + 1);
    }
    static recount::Row evolve(CartRow2&, const CheckedOut&, const Recorded&) {
        return recount::Row::remove;
    }
};
struct CartsChanged : CartsV2 {
    static constexpr int version = 1;
};
struct CartsOtherEvents : Carts {
    using Event = recount::Events<ItemAdded, ItemRemoved>;
};

class AChangedView : public testing::TestWithParam<std::string> {
protected:
    AChangedView() { append_random(world, 11, 40); }
    World world{GetParam()};
    void build_first() { Projector<Carts>{world.store()}.catch_up(); }
};
INSTANTIATE_TEST_SUITE_P(On, AChangedView, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(AChangedView, UnderTheSameVersionIsRefused) {
    build_first();
    EXPECT_THROW(Projector<CartsChanged>{world.store()}, Mismatch);
    EXPECT_THROW(Projector<CartsOtherEvents>{world.store()}, Mismatch);
    Projector<Carts>{world.store()}.catch_up();  // untouched
}

TEST_P(AChangedView, IsBuiltBesideTheOldOneThatReadersKeep) {
    build_first();
    const auto before = rows<Carts>(world.store());
    View<CartsV2> view{world.store()};
    Projector<CartsV2> projector{world.store(), {.page_events = 8}};
    EXPECT_EQ(view.list().generation, 1);
    EXPECT_EQ(view.list().version, 1);
    EXPECT_EQ(rows<Carts>(world.store()), before);
    ASSERT_FALSE(view.list().rows.empty());
    EXPECT_EQ(list_views(world.store()).size(), 2U);

    EXPECT_EQ(projector.catch_up().swapped, 1);
    const auto after = view.list();
    EXPECT_EQ(after.generation, 2);
    EXPECT_EQ(after.version, 2);
    EXPECT_EQ(after.rows.size(), before.size());
    const auto views = list_views(world.store());
    ASSERT_EQ(views.size(), 2U);
    EXPECT_EQ(views[0].state, "current");
    EXPECT_EQ(views[0].generation, 2);
    EXPECT_EQ(views[1].state, "retired");
}

TEST_P(AChangedView, StopsTheProjectorOfTheOldCode) {
    build_first();
    Projector<Carts> old{world.store()};
    Projector<CartsV2>{world.store()}.catch_up();
    append_random(world, 12, 5);
    EXPECT_FALSE(old.status()[0].live) << "its readers are elsewhere by now";
    EXPECT_THROW(old.catch_up(), Mismatch);
    EXPECT_FALSE(old.status()[0].live);
    EXPECT_EQ(old.status()[0].state, ViewStatus::State::stopped);
    EXPECT_THROW(Projector<Carts>{world.store()}, Mismatch);  // older code never takes over again
}

TEST_P(AChangedView, IsNotReadBeforeItHasReachedTheOldOne) {
    build_first();
    Projector<CartsV2> projector{world.store(), {.page_events = 4}};
    CartsV2::left = 25;
    EXPECT_THROW(projector.catch_up(), Unavailable);
    EXPECT_EQ(View<CartsV2>{world.store()}.list().generation, 1);
    CartsV2::left = -1;
    EXPECT_EQ(projector.catch_up().swapped, 1);
    EXPECT_EQ(View<CartsV2>{world.store()}.list().generation, 2);
}

TEST_P(AChangedView, TakesOverOnlyWithEverythingTheOldOneHas) {
    build_first();
    Projector<CartsV2> next{world.store(), {.page_events = 4}};
    append_random(world, 13, 20);
    Projector<Carts>{world.store()}.catch_up();  // the old code still runs elsewhere
    Session session;
    View<Carts> view{world.store()};
    (void)view.list({}, recount::session(session));
    next.catch_up();
    View<CartsV2> view2{world.store()};
    const auto read = view2.list({}, recount::session(session).fail());  // throws if it went back
    EXPECT_EQ(read.generation, 2);
}

TEST_P(AChangedView, IsRebuiltOnRequest) {
    build_first();
    EXPECT_EQ(request_rebuild(world.store(), "carts"), 2);
    EXPECT_EQ(request_rebuild(world.store(), "carts"), 2);
    append_random(world, 14, 10);
    Projector<Carts> projector{world.store(), {.page_events = 16}};
    EXPECT_EQ(projector.status().size(), 2U);  // the current one is fed meanwhile
    EXPECT_EQ(projector.catch_up().swapped, 1);
    EXPECT_EQ(projector.status().size(), 1U);
    EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
    EXPECT_EQ(View<Carts>{world.store()}.list().generation, 2);
    append_random(world, 15, 10);
    EXPECT_GT(projector.catch_up().events, 0);
    EXPECT_THROW(request_rebuild(world.store(), "unknown"), InvalidArgument);
}

TEST_P(AChangedView, LeavesAGenerationThatCanBeDropped) {
    build_first();
    Projector<CartsV2>{world.store()}.catch_up();
    EXPECT_THROW(drop_generation(world.store(), "carts", 2), InvalidArgument);
    drop_generation(world.store(), "carts", 1);
    EXPECT_EQ(list_views(world.store()).size(), 1U);
    EXPECT_THROW(drop_generation(world.store(), "carts", 1), InvalidArgument);
    EXPECT_FALSE(View<CartsV2>{world.store()}.list().rows.empty());
}

TEST_P(AChangedView, IsReadFromTheOneThatTookOverWhenItsOwnIsDroppedBeforeItIsOpened) {
    if (GetParam() == "memory") GTEST_SKIP() << "a generation that is known stays there";
    build_first();
    const auto faults = std::make_shared<Faults>();
    faults->after_transaction = [&] {  // the catalogue was asked
        faults->after_transaction = [] {};
        request_rebuild(world.store(), "carts");
        Projector<Carts>{world.store()}.catch_up();
        drop_generation(world.store(), "carts", 1);
    };
    View<Carts> view{world.store(), {.open = faulty(faults)}};
    const auto listed = view.list();
    EXPECT_EQ(listed.generation, 2);
    EXPECT_FALSE(listed.stale) << listed.why_stale;
    EXPECT_FALSE(listed.rows.empty());
}

TEST_P(AChangedView, KeepsWhatIsReadWhenTheOneBeingBuiltIsDropped) {
    build_first();
    request_rebuild(world.store(), "carts");
    Projector<Carts> projector{world.store(), {.page_events = 4}};
    drop_generation(world.store(), "carts", 2);
    append_random(world, 16, 5);
    EXPECT_EQ(projector.catch_up().swapped, 0);
    EXPECT_EQ(View<Carts>{world.store()}.list().generation, 1);
    EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
    EXPECT_EQ(projector.status().size(), 1U);
    EXPECT_EQ(list_views(world.store()).size(), 1U);
}

TEST_P(AChangedView, KeepsWhatIsReadWhenItIsDroppedWhileAPageIsRead) {
    build_first();
    request_rebuild(world.store(), "carts");
    Interrupted log{world.store()};
    bool dropped = false;
    log.before_read = [&] {
        if (!std::exchange(dropped, true)) drop_generation(world.store(), "carts", 2);
    };
    Projector<Carts> projector{log, {.views = world.url(), .page_events = 4}};
    EXPECT_EQ(projector.catch_up().swapped, 0);
    EXPECT_EQ(View<Carts>{world.store()}.list().generation, 1);
    append_random(world, 16, 5);
    projector.catch_up();
    EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
}

TEST_P(AChangedView, IsBuiltUnderAnotherNumberAfterItWasDropped) {
    build_first();
    const auto before = rows<Carts>(world.store());
    Projector<CartsV2> old{world.store(), {.page_events = 4}};
    CartsV2::left = 25;
    EXPECT_THROW(old.catch_up(), Unavailable);
    CartsV2::left = -1;
    drop_generation(world.store(), "carts", 2);
    EXPECT_THROW(old.catch_up(), Mismatch);  // it knows of no other
    EXPECT_THROW(old.catch_up(), Mismatch);
    EXPECT_EQ(View<Carts>{world.store()}.list().generation, 1);
    EXPECT_EQ(rows<Carts>(world.store()), before);

    Projector<CartsV2> next{world.store()};
    EXPECT_THROW(old.catch_up(), Mismatch);
    EXPECT_EQ(next.catch_up().swapped, 1);
    EXPECT_EQ(View<CartsV2>{world.store()}.list().generation, 3);
    EXPECT_EQ(rows<CartsV2>(world.store()).size(), before.size());
}

TEST_P(AChangedView, CanBeDroppedAgainWhenThatFailedHalfWay) {
    if (GetParam() != "sqlite") GTEST_SKIP() << "only there a generation is a file";
    build_first();
    request_rebuild(world.store(), "carts");
    { Projector<Carts> begun{world.store()}; }
    const std::string rest = list_views(world.store())[1].place + "-shm";
    std::filesystem::remove(rest);
    std::filesystem::create_directories(rest + "/in-the-way");
    EXPECT_THROW(drop_generation(world.store(), "carts", 2), Unavailable);
    ASSERT_EQ(list_views(world.store()).size(), 2U);
    EXPECT_EQ(list_views(world.store())[1].state, "retired");

    std::filesystem::remove(rest + "/in-the-way");
    drop_generation(world.store(), "carts", 2);
    EXPECT_EQ(list_views(world.store()).size(), 1U);
    EXPECT_EQ(request_rebuild(world.store(), "carts"), 3);
    EXPECT_EQ(Projector<Carts>{world.store()}.catch_up().swapped, 1);
    EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
}

TEST_P(AChangedView, IsBuiltAnewWhereANewerVersionGaveUp) {
    build_first();
    { Projector<CartsV2> begun{world.store()}; }
    EXPECT_EQ(request_rebuild(world.store(), "carts"), 3);
    EXPECT_EQ(request_rebuild(world.store(), "carts"), 3) << "it is asked for already";
    EXPECT_EQ(Projector<Carts>{world.store()}.catch_up().swapped, 1);
}

TEST_P(AChangedView, GoesOnBuildingAfterARestart) {
    build_first();
    { Projector<CartsV2> begun{world.store()}; }
    Projector<CartsV2> again{world.store()};
    EXPECT_EQ(again.status()[0].generation, 2);
    EXPECT_EQ(again.catch_up().swapped, 1);
}

TEST_P(AChangedView, OfAnotherStoreIsRefused) {
    if (!world.stored()) GTEST_SKIP() << "nothing is kept of it";
    build_first();
    World other{"memory"};
    Log& log = other.store();
    EXPECT_THROW((Projector<Carts>{log, {.views = world.url()}}), Mismatch);
    World parts{"memory", 8};
    Log& differently = parts.store();
    EXPECT_THROW((Projector<Carts>{differently, {.views = world.url()}}), Mismatch);
}

TEST_P(AChangedView, IsExposedUnderAStableNameInPostgres) {
    if (GetParam() != "postgresql") GTEST_SKIP() << "it is PostgreSQL's";
    build_first();
    std::string url = world.url();
    url += "_views";
    const auto rows_there = [&] {
        const auto database = Database::open(url, {.create = false});
        return database->begin(SqlMode::snapshot)->query("select * from carts").size();
    };
    EXPECT_EQ(rows_there(), rows<Carts>(world.store()).size());
    Projector<CartsV2>{world.store()}.catch_up();
    EXPECT_EQ(rows_there(), rows<CartsV2>(world.store()).size());
    drop_generation(world.store(), "carts", 1);  // nothing hangs on the old one
    EXPECT_GT(rows_there(), 0U);
}

}  // namespace
}  // namespace recount::test::projections
