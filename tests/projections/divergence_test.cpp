#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <filesystem>
#include <utility>

#include "interrupted_log.hpp"
#include "strange_log.hpp"

namespace recount::test::projections {
namespace {

TEST_F(AStrangeLog, MayReplayWhatWasApplied) {
    Projector<Carts> projector{log, options};
    log.replayed = 3;
    options.page_events = 4;
    Projector<Carts> wider{log, options};
    wider.catch_up();
    log.append(added("a"));
    projector.catch_up();
    EXPECT_EQ(items(), 7);
}

TEST_F(AStrangeLog, StopsTheViewAtAGap) {
    log.hidden = 4;
    Projector<Carts> projector{log, options};
    expect_stops(projector, "0:4");
    EXPECT_EQ(items(), 2);
    log.hidden = 0;
    projector.catch_up();
    EXPECT_EQ(items(), 6);
}

TEST_F(AStrangeLog, StopsTheViewWhereAnEventWasRewritten) {
    Projector<Carts> projector{log, options};
    log.events[3].payload = new_event(added("a", 100)).payload;
    expect_stops(projector, "0:4");
    EXPECT_EQ(items(), 2);
}

TEST_F(AStrangeLog, StopsTheViewWhenTheEventItAppliedLastIsAnother) {
    Projector<Carts> projector{log, options};
    projector.catch_up();
    log.events.pop_back();
    log.append(added("b"));  // fits the one before it
    expect_stops(projector, "0:6");
    log.replayed = 1;
    log.append(added("c"));
    expect_stops(projector, "0:6");
    EXPECT_EQ(items(), 6);
}

TEST_F(AStrangeLog, LeavesAStoppedViewStaleForAProjectorThatOnlyBegan) {
    Projector<Carts> projector{log, options};
    log.events[3].payload = new_event(added("a", 100)).payload;
    expect_stops(projector, "0:4");
    Projector<Carts> idle{log, options};
    idle.status();
    EXPECT_TRUE(stale());
}

TEST_F(AStrangeLog, LeavesAStoppedViewStaleUntilItIsReadAgain) {
    Interrupted away{log};
    Projector<Carts> projector{away, options};
    log.hidden = 4;
    expect_stops(projector, "0:4");
    log.hidden = 0;
    const auto stays_stopped = [&] {
        EXPECT_THROW(projector.catch_up(), Unavailable);
        EXPECT_TRUE(stale());
        EXPECT_EQ(projector.status()[0].state, ViewStatus::State::stopped);
    };
    away.before_heads = [&] { throw Unavailable("the log is away; wait"); };
    stays_stopped();
    away.before_heads = nullptr;
    away.before_read = [&] { throw Unavailable("the log is away; wait"); };
    stays_stopped();
    away.before_read = nullptr;
    projector.catch_up();
    EXPECT_FALSE(stale());
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
}

TEST_F(AStrangeLog, EndsTheStopOfAViewThatHasNothingToApply) {
    Projector<Carts> projector{log, options};
    projector.catch_up();
    const std::vector<RecordedEvent> all = log.events;
    log.events.pop_back();
    log.append(added("b"));
    expect_stops(projector, "0:6");
    log.events = all;
    EXPECT_EQ(projector.catch_up().events, 0);
    EXPECT_FALSE(stale());
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
}

TEST_F(AStrangeLog, EndsAStopThatAnotherProjectorLeft) {
    options.idle_wait = Duration::zero();
    Projector<Carts> wrong{log, options}, right{log, options};
    right.catch_up();
    const std::vector<RecordedEvent> all = log.events;
    const auto stop_again = [&] {
        log.events.pop_back();
        log.append(added("b"));
        expect_stops(wrong, "0:6");
        log.events = all;
    };
    stop_again();
    right.catch_up();
    EXPECT_FALSE(stale());

    stop_again();
    Projector<Carts> later{log, options};
    for (int count = 0; count < 6; ++count) log.append(added("a"));
    later.catch_up();
    EXPECT_FALSE(stale());
}

TEST_F(AStrangeLog, EndsAStopThatAnotherProjectorLeftWhileThisOneReads) {
    Interrupted meanwhile{log};
    Projector<Carts> right{meanwhile, options};
    right.catch_up();
    Projector<Carts> wrong{log, options};
    const std::vector<RecordedEvent> before = log.events;
    for (int count = 0; count < 6; ++count) log.append(added("a"));
    bool told = false;
    meanwhile.before_read = [&] {
        if (std::exchange(told, true)) return;
        const std::vector<RecordedEvent> all = std::exchange(log.events, before);
        log.events.pop_back();
        log.append(added("b"));
        expect_stops(wrong, "0:6");
        log.events = all;
    };
    right.catch_up();
    EXPECT_FALSE(stale());
    EXPECT_EQ(items(), 12);
}

TEST_F(AStrangeLog, ThatIsACopyAndBehindTheViewIsWaitedFor) {
    Projector<Carts> projector{log, options};
    projector.catch_up();
    const std::vector<RecordedEvent> all = log.events;
    log.restore(4, false);
    EXPECT_THROW(projector.catch_up(), Unavailable);
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
    log.events = all;
    log.append(added("a"));
    projector.catch_up();
    EXPECT_EQ(items(), 7);
}

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

TEST_F(AStrangeLog, ErasedEventsParkUnlessTheViewExpectsThem) {
    log.events[1].payload.reset();
    Projector<Carts> projector{log, options};
    EXPECT_EQ(projector.catch_up().parked, 5);
    EXPECT_EQ(items(), 1);
}

struct Forgiving : Carts {
    static constexpr std::string_view name = "forgiving";
    using Carts::evolve;
    static void evolve(CartRow& row, const Erased&, const Recorded&) { row.set_last_sku("erased"); }
};

TEST_F(AStrangeLog, ErasedEventsAreGivenToAViewThatExpectsThem) {
    log.events[5].payload.reset();
    Projector<Forgiving> projector{log, options};
    EXPECT_EQ(projector.catch_up().parked, 0);
    EXPECT_EQ((View<Forgiving>{log, {.views = options.views}}.get("1")->last_sku()), "erased");
}

TEST_F(AStrangeLog, WithheldEventsParkEvenWhereErasedOnesAreExpected) {
    log.events[4].payload.reset();
    log.events[4].withheld = true;
    Projector<Forgiving> projector{log, options};
    EXPECT_EQ(projector.catch_up().parked, 2);
    View<Forgiving> view{log, {.views = options.views}};
    EXPECT_EQ(view.get("1")->items(), 4);
    EXPECT_EQ(view.get("1")->last_sku(), "a");
    EXPECT_EQ(
        view.query(eventual(), "select error from _parked order by position").result.text(0, 0),
        "its payload was withheld by the topic; feed this view from the store");

    log.events[4].payload = new_event(added("a")).payload;  // as the store has it
    log.events[4].withheld = false;
    EXPECT_EQ(projector.retry_parked(), 2);
    EXPECT_EQ(view.get("1")->items(), 6);
}

}  // namespace
}  // namespace recount::test::projections
