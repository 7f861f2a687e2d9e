#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <filesystem>
#include <utility>

#include "interrupted_log.hpp"
#include "strange_log.hpp"

namespace recount::test::projections {
namespace {

TEST(AStore, CopiedBackUndeclaredStopsTheViewThatSawMore) {
    World world{"sqlite"};
    const std::string file = world.url().substr(7);
    world.append("cart-1", added("a"), added("b"));
    world.close();
    std::filesystem::copy_file(file, file + ".backup");
    world.open();
    world.append("cart-1", added("c"));
    Projector<Carts>{world.store()}.catch_up();
    world.close();
    for (const char* rest : {"-wal", "-shm"}) std::filesystem::remove(file + rest);
    std::filesystem::copy_file(file + ".backup", file,
                               std::filesystem::copy_options::overwrite_existing);
    world.open();
    Projector<Carts> projector{world.store()};
    try {
        projector.catch_up();
        FAIL() << "it went on";
    } catch (const Divergence& error) {
        EXPECT_NE(std::string{error.what()}.find("ends at 2"), std::string::npos) << error.what();
    }
    world.append("cart-1", added("d"));  // now as long as before, but another history
    EXPECT_THROW(projector.catch_up(), Divergence);
    View<Carts> view{world.store()};
    EXPECT_TRUE(view.get("1").stale);
    EXPECT_TRUE(view.get("1", strong().serve_stale()).stale) << "its checkpoint is no proof";
    EXPECT_TRUE(view.get("1", bounded(100, std::chrono::hours{1}).serve_stale()).stale);
    EXPECT_THROW(view.get("1", strong().fail()), NotThereYet);

    world.close();
    declare_restored(world.url());
    world.open();  // a history that goes on behind d, where the view applied c
    EXPECT_THROW(Projector<Carts>{world.store()}.catch_up(), Divergence);
    world.append("cart-1", added("e"));
    EXPECT_THROW(Projector<Carts>{world.store()}.catch_up(), Divergence);
}

TEST(AStore, RestoredAndDeclaredIsNotReadThroughAViewThatShowsWhatItLost) {
    World world{"sqlite", 2};
    std::string other = "cart-2";  // of another partition
    while (partition_of(other, 2) == partition_of("cart-1", 2)) other += "x";
    const std::string file = world.url().substr(7);
    world.append("cart-1", added("a"));
    world.close();
    std::filesystem::copy_file(file, file + ".backup");
    world.open();
    world.append(other, added("lost"));
    Projector<Counts>{world.store()}.catch_up();
    world.close();
    for (const char* rest : {"-wal", "-shm"}) std::filesystem::remove(file + rest);
    std::filesystem::copy_file(file + ".backup", file,
                               std::filesystem::copy_options::overwrite_existing);
    declare_restored(world.url());
    world.open();

    View<Counts> view{world.store()};
    const auto ask = [&](const Consistency& consistency) {
        return view.query(consistency, "select 1 as one");
    };
    EXPECT_THROW(ask(strong().fail()), NotThereYet);
    Session fresh;
    EXPECT_THROW(ask(session(fresh).fail()), NotThereYet);
    EXPECT_TRUE(ask(session(fresh).serve_stale()).stale);
    EXPECT_TRUE(ask(session(fresh).serve_stale()).stale) << "the session is not broken by it";
}

TEST(AStore, MadeAnewIsNotReadThroughTheViewsOfTheOneBefore) {
    World world{"sqlite"};
    const std::string file = world.url().substr(7);
    world.append("cart-1", added("a"));
    Projector<Carts>{world.store()}.catch_up();
    world.close();
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(file + part);
    world.open();
    View<Carts> view{world.store()};
    EXPECT_THROW(view.get("1"), Mismatch);
    EXPECT_THROW(view.get("1", strong().fail()), Mismatch);
}

TEST_F(AStrangeLog, StopsTheViewWhereAHistoryBeganBehindAnotherEvent) {
    Projector<Carts> projector{log, options};
    projector.catch_up();
    log.events.pop_back();
    log.append(added("b"));  // in the place of the last one
    log.restore(6, true);
    log.append(added("c"));
    expect_stops(projector, "0:6");
}

TEST_F(AStrangeLog, OfADeclaredRestoreStopsOnlyViewsBeyondTheFork) {
    Projector<Carts> beyond{log, options};
    beyond.catch_up();
    FakeLog before = log;
    log.restore(4, true);
    log.append(added("a", 10));
    log.append(added("a", 10));
    log.append(added("a", 10));
    expect_stops(beyond, "lost");

    ProjectorOptions elsewhere = options;
    elsewhere.views = "sqlite:" + folder.file("y.db");
    Projector<Carts> fresh{log, elsewhere};
    fresh.catch_up();
    EXPECT_EQ((View<Carts>{log, {.views = elsewhere.views}}.get("1")->items()), 34);
}

TEST_F(AStrangeLog, OfADeclaredRestoreGoesOnAtTheFork) {
    log.restore(4, true);
    Projector<Carts> projector{log, options};
    projector.catch_up();
    log.restore(4, true);
    log.append(added("a", 10));
    projector.catch_up();
    EXPECT_EQ(items(), 14);
}

TEST_F(AStrangeLog, ThatHasNotHeardOfARestoreYetLetsWhoSawMoreWait) {
    Projector<Carts>{log, options}.catch_up();
    FakeLog ahead = log;
    ahead.restore(6, true);
    ahead.append(added("b"));
    Session session;
    Positions seen{1};
    seen.set({Partition{0}, 6});  // what the view shows already, were it of this history
    session.saw({log.identity().id, ahead.incarnations().back().id, seen});
    View<Carts> view{log, {.views = options.views, .heads_age = Duration::zero()}};
    const auto why = [&](const auto& read) { return std::string{read.why_stale}; };
    EXPECT_THROW(view.get("1", recount::session(session).fail()), NotThereYet);
    EXPECT_NE(why(view.get("1", recount::session(session).serve_stale())).find("not heard"),
              std::string::npos);

    log = ahead;
    EXPECT_FALSE(view.get("1", recount::session(session).fail()).stale);
    seen.set({Partition{0}, 7});
    session.saw({log.identity().id, log.incarnations().back().id, seen});
    EXPECT_THROW(view.get("1", recount::session(session).fail()), NotThereYet);
    Projector<Carts>{log, options}.catch_up();
    EXPECT_FALSE(view.get("1", recount::session(session).fail()).stale);
    log.restore(6, true);
    EXPECT_THROW(view.get("1", recount::session(session).fail()), Divergence);
}

TEST_F(AStrangeLog, ThatNeverHeardOfALostHistoryKnowsByItsAgeThatItIsLost) {
    Projector<Carts>{log, options}.catch_up();
    FakeLog lost = log;
    lost.restore(5, true);
    lost.append(added("b"));
    log.restore(4, true);  // again, to before the first
    Session session;
    Positions seen{1};
    seen.set({Partition{0}, 6});
    session.saw({log.identity().id, lost.incarnations().back().id, seen});
    View<Carts> view{log, {.views = options.views, .heads_age = Duration::zero()}};
    EXPECT_THROW(view.get("1", recount::session(session).fail()), Divergence);
}

TEST_F(AStrangeLog, ThatHearsOfARestoreWhileAReadWaitsIsAskedAgain) {
    Projector<Carts>{log, options}.catch_up();
    FakeLog ahead = log;
    ahead.restore(6, true);
    Session session;
    Positions seen{1};
    seen.set({Partition{0}, 6});
    session.saw({log.identity().id, ahead.incarnations().back().id, seen});
    Interrupted hearing{log};
    int asked = 0;
    hearing.before_heads = [&] {
        if (++asked == 4) log = ahead;
    };
    View<Carts> view{hearing, {.views = options.views, .heads_age = Duration::zero()}};
    EXPECT_FALSE(view.get("1", recount::session(session).wait_for(std::chrono::minutes{1})).stale);
}

TEST_F(AStrangeLog, OfADeclaredRestoreIsFollowedByARebuild) {
    Projector<Carts>{log, options}.catch_up();
    log.restore(2, true);
    log.append(added("a", 10));
    request_rebuild(options.views, "carts");
    Projector<Carts> rebuilding{log, options};
    EXPECT_THROW(rebuilding.catch_up(), Divergence);  // the old generation, for the last time
    rebuilding.catch_up();
    EXPECT_EQ(items(), 12);
    EXPECT_EQ((View<Carts>{log, {.views = options.views}}.get("1").generation), 2);
}

TEST_F(AStrangeLog, ThatTurnsToARestoredHistoryWhileItIsReadIsFollowed) {
    Interrupted turning{log};
    int reads = 0;
    turning.before_read = [&] {
        if (++reads != 2) return;
        log.restore(4, true);
        for (int count = 0; count < 3; ++count) log.append(added("a", 10));
    };
    Projector<Carts> projector{turning, options};
    projector.catch_up();
    EXPECT_EQ(items(), 34);
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
}

TEST_F(AStrangeLog, ThatTurnsToARestoredHistoryBetweenTwoQuestionsIsFollowed) {
    Interrupted turning{log};
    options.idle_wait = Duration::zero();
    Projector<Carts> projector{turning, options};
    bool turned = false;
    turning.before_heads = [&] {  // and another projector is there already
        if (std::exchange(turned, true)) return;
        log.restore(4, true);
        log.append(added("a", 10));
        Projector<Carts>{log, options}.catch_up();
        log.append(added("a", 10));
    };
    projector.catch_up();
    EXPECT_EQ(items(), 24);
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
}

}  // namespace
}  // namespace recount::test::projections
