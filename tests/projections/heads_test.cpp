#include <recount/eventstore/newest_heads.hpp>

#include <thread>

#include "interrupted_log.hpp"
#include "strange_log.hpp"

namespace recount::test::projections {
namespace {

TEST_F(AStrangeLog, ThatShowsHeadsWithoutEventsIsWaitedForInVain) {
    Projector<Carts> projector{log, options};
    RecordedEvent last = log.events.back();
    log.hidden = 6;
    EXPECT_THROW(projector.catch_up(), Unavailable);
    EXPECT_EQ(items(), 5);
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
}

TEST_F(AStrangeLog, ThatShowsHeadsWithoutEventsLeavesTheAgeOfAViewUnknown) {
    Projector<Carts> projector{log, options};
    log.hidden = 6;
    EXPECT_THROW(projector.catch_up(), Unavailable);
    View<Carts> view{log, {.views = options.views}};
    try {
        view.get("1", bounded(1000, std::chrono::seconds{1}).fail());
        FAIL() << "it was served";
    } catch (const NotThereYet& error) {
        EXPECT_NE(std::string{error.what()}.find("its lag is unknown"), std::string::npos)
            << error.what();
    }
    EXPECT_EQ(view.get("1", bounded(1000, std::chrono::hours{1}).serve_stale())->items(), 5);
    log.hidden = 0;
    EXPECT_FALSE(view.get("1", bounded(1000, std::chrono::hours{1}).fail()).stale);
}

TEST_F(AStrangeLog, WhoseHeadsAreUnknownIsServedStaleToWhoTakesThat) {
    Projector<Carts>{log, options}.catch_up();
    Interrupted away{log};
    View<Carts> view{away, {.views = options.views}};
    EXPECT_EQ(view.get("1", bounded(0, Duration{0})).lag.events, 0);
    int asked = 0;
    away.before_heads = [&] {
        ++asked;
        throw Unavailable("nobody answers");
    };
    EXPECT_THROW(view.get("1", bounded(9, std::chrono::hours{1})), Unavailable);
    const auto takes_stale =
        bounded(9, std::chrono::hours{1}).wait_for(std::chrono::seconds{2}).serve_stale();
    asked = 0;
    const auto read = view.get("1", takes_stale);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->items(), 6);
    EXPECT_TRUE(read.stale);
    EXPECT_NE(read.why_stale.find("nobody answers"), std::string::npos) << read.why_stale;
    EXPECT_FALSE(read.lag.events) << "what was known before says nothing about now";
    View<Skus> never_started{away, {.views = options.views}};
    EXPECT_TRUE(never_started.get("a", takes_stale).stale);
    EXPECT_EQ(asked, 2) << "waiting tells nothing";
}

TEST_F(AStrangeLog, WhoseHeadsAreUnknownIsNotAskedForEachRead) {
    Projector<Carts>{log, options}.catch_up();
    Interrupted away{log};
    int asked = 0;
    away.before_heads = [&] {
        ++asked;
        throw Unavailable("nobody answers");
    };
    View<Carts> view{away, {.views = options.views, .heads_age = std::chrono::hours{1}}};
    for (int count = 0; count < 5; ++count) EXPECT_TRUE(view.get("1").stale);
    EXPECT_EQ(asked, 1);
    View<Carts> later{away, {.views = options.views, .heads_age = Duration{0}}};
    EXPECT_TRUE(later.get("1").stale);
    away.before_heads = nullptr;
    EXPECT_FALSE(later.get("1").stale);
}

/// Whose heads come now and then, as by a relay's beat.
struct ToldNowAndThen : FakeLog, TellsNewestHeads {
    Duration age{};
    NewestHeads newest_heads() override { return {heads(), age}; }
};

TEST_F(AStrangeLog, ThatIsToldNowAndThenMakesAViewNoFresherThanThat) {
    ToldNowAndThen told;
    told.append(added("a"));
    Projector<Carts>{told, options}.catch_up();
    View<Carts> view{told, {.views = options.views}};
    const auto fresh = bounded(0, std::chrono::seconds{2}).fail();
    EXPECT_FALSE(view.get("1", fresh).stale);
    told.age = std::chrono::seconds{3};
    EXPECT_THROW(view.get("1", fresh), NotThereYet);
    EXPECT_FALSE(view.get("1", bounded(0, std::chrono::seconds{3}).fail()).stale);
}

/// A topic that has events already which its heads will show with the next beat.
struct HeadsBehind : FakeLog {
    int waits = 0;
    std::vector<LogHead> heads() override {
        const RecordedEvent& shown = events.at(events.size() - 2);
        return {{shown.at.position.n, shown.hash, shown.at.recorded_at}};
    }
    bool wait(const Positions&, Duration, std::stop_token) override {
        ++waits;
        return true;
    }
};

TEST_F(AStrangeLog, ThatHasMoreThanItsHeadsShowIsNotAskedWithoutAPause) {
    HeadsBehind behind;
    for (int count = 0; count < 3; ++count) behind.append(added("a"));
    Projector<Carts> projector{behind, options};
    {
        std::jthread running{[&](std::stop_token stop) { projector.run(std::move(stop)); }};
        behind.environment().scheduler.sleep(std::chrono::milliseconds{500}, {});
    }
    EXPECT_GT(behind.waits, 0);
    EXPECT_LE(behind.waits, 30);
}

}  // namespace
}  // namespace recount::test::projections
