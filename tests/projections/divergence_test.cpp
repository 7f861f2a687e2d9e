#include <gtest/gtest.h>

#include <recount/core/error.hpp>

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
    away.before_read = [&] { throw Unavailable("the log is away; wait"); };
    stays_stopped();
    away.before_heads = away.before_read;
    stays_stopped();
    away.before_heads = nullptr;
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
    RecordedEvent last = log.events.back();
    log.events.pop_back();
    EXPECT_THROW(projector.retry_parked(), Unavailable) << "a copy that is behind";
    EXPECT_EQ(view.get("1")->items(), 5) << "what is there is applied";
    log.append(added("b"));
    log.events.back().at.stream = StreamName::parse("cart-2");
    EXPECT_THROW(projector.retry_parked(), Divergence) << "another event is there";
    log.events.back() = last;
    EXPECT_EQ(projector.retry_parked(), 1);
    EXPECT_EQ(view.get("1")->items(), 6);
}

}  // namespace
}  // namespace recount::test::projections
