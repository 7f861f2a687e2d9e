#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <atomic>
#include <thread>

#include "interrupted_log.hpp"
#include "log_lines.hpp"
#include "support/eventually.hpp"
#include "world.hpp"

namespace recount::test::projections {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::HasSubstr;

struct NewerCarts : Carts {
    static constexpr int version = 2;
};

/// As a topic is whose relay is silent.
class ALogThatDoesNotTellItsHeads : public testing::TestWithParam<std::string> {
protected:
    ALogThatDoesNotTellItsHeads() {
        append_random(world, 51, 60);
        log.before_heads = [&] {
            ++asked;
            if (silent) throw Unavailable("its relay is silent; start it");
        };
    }
    std::string complaint(auto& projector) {
        try {
            projector.catch_up();
        } catch (const Unavailable& error) {
            return error.what();
        }
        return "it went well";
    }
    void expect_all() {
        EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
        EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
    }

    World world{GetParam()};
    Interrupted log{world.store()};
    std::atomic<bool> silent = true;
    std::atomic<int> asked = 0;
    ProjectorOptions options{.views = world.url(), .page_events = 8};
};
INSTANTIATE_TEST_SUITE_P(On, ALogThatDoesNotTellItsHeads, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(ALogThatDoesNotTellItsHeads, IsAppliedAsFarAsItGoesAndThenComplainedOf) {
    Projector<Counts>{world.store()}.catch_up();
    append_random(world, 52, 10);
    Projector<Carts, Counts> projector{log, options};
    EXPECT_THAT(complaint(projector), HasSubstr("relay is silent"));
    expect_all();
    EXPECT_THAT(complaint(projector), HasSubstr("relay is silent"));
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
    EXPECT_FALSE(projector.status()[0].partitions[0].behind);
    silent = false;
    EXPECT_EQ(projector.catch_up().events, 0);
}

TEST_P(ALogThatDoesNotTellItsHeads, LeavesReadsStale) {
    Projector<Carts> projector{log, options};
    EXPECT_THROW(projector.catch_up(), Unavailable);
    View<Carts> view{log, {.views = world.url()}};
    const auto read = view.list();
    EXPECT_FALSE(read.rows.empty());
    EXPECT_TRUE(read.stale);
    EXPECT_FALSE(read.lag.events);
    EXPECT_THAT(read.why_stale, HasSubstr("heads are unknown"));
    EXPECT_THROW(view.list({}, bounded(1000, hours{1})), Unavailable);
    silent = false;
    EXPECT_FALSE((View<Carts>{log, {.views = world.url()}}.list().stale));
}

TEST_P(ALogThatDoesNotTellItsHeads, IsFollowedWithoutAWordMore) {
    const LogLines lines;
    options.idle_wait = milliseconds{1};
    Projector<Carts, Counts> projector{log, options};
    {
        const std::jthread running{[&](std::stop_token stop) { projector.run(std::move(stop)); }};
        Session session;
        session.saw(world.append("cart-new", added("a", 7)));
        const auto soon = recount::session(session).wait_for(std::chrono::seconds{60});
        EXPECT_EQ(View<Carts>{world.store()}.get("new", soon)->items(), 7);
        EXPECT_TRUE(eventually([&] { return asked > 3; }));
        silent = false;
        EXPECT_TRUE(eventually([&] { return !lines.with("is known again").empty(); }));
    }
    append_random(world, 53, 10);
    projector.catch_up();
    expect_all();
    EXPECT_EQ(lines.with("relay is silent").size(), 1U);
}

TEST_P(ALogThatDoesNotTellItsHeads, LetsANewVersionTakeOver) {
    Projector<Carts, Counts>{world.store()}.catch_up();
    Projector<NewerCarts> newer{log, options};
    EXPECT_THAT(complaint(newer), HasSubstr("relay is silent"));
    EXPECT_EQ(View<Carts>{world.store()}.list().version, 2);
    expect_all();
}

TEST_P(ALogThatDoesNotTellItsHeads, EndsNoStopOfAViewThatItIsNotSeenToHold) {
    Projector<Carts> projector{world.store()};
    projector.catch_up();
    log.before_read = [] { throw Divergence("it holds another history"); };
    Projector<Carts> stopped{log, options};
    EXPECT_THROW(stopped.catch_up(), Divergence);
    log.before_read = nullptr;
    EXPECT_THROW(stopped.catch_up(), Unavailable);
    EXPECT_EQ(stopped.status()[0].state, ViewStatus::State::stopped);
    EXPECT_THAT(View<Carts>{world.store()}.list().why_stale, HasSubstr("another history"));
    silent = false;
    stopped.catch_up();
    EXPECT_FALSE(View<Carts>{world.store()}.list().stale);
}

}  // namespace
}  // namespace recount::test::projections
