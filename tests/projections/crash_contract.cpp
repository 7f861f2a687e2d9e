#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <thread>

#include "faults.hpp"
#include "interrupted_log.hpp"
#include "world.hpp"

namespace recount::test::projections {
namespace {

struct NextCounts : Counts {
    static constexpr int version = 2;
};

class ALostDatabase : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(On, ALostDatabase, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

void expect_exact(World& world) {
    EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
    EXPECT_EQ(rows<Skus>(world.store()), pure_skus(world.store()));
    EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
}

/// Loses the database at every step of building the views, once with and once without the step
/// done, starts again, and compares: with the process gone, and with the projector still there.
TEST_P(ALostDatabase, LeavesViewsThatGoOnExactly) {
    // Every step in memory; some of them where each takes a while.
    const std::int64_t stride = GetParam() == "memory" ? 1 : 29;
    int crashes = 0;
    bool ended = false;
    for (std::int64_t at = 0; !ended; at += stride) {
        for (const bool done : {false, true}) {
            World world{GetParam(), 2};
            append_random(world, 7, 12);
            auto faults = std::make_shared<Faults>();
            const ProjectorOptions options{.page_events = 9, .open = faulty(faults)};
            faults->lost_at = at;
            faults->after_commit = done;
            try {
                Projector<Carts, Skus, Counts> projector{world.store(), options};
                try {
                    projector.catch_up();
                    ended = true;
                } catch (const Error&) {
                    ++crashes;
                    faults->mend();
                    if (at % 2 == 0) projector.catch_up();  // the same one goes on
                }
            } catch (const Error&) {
                ++crashes;
            }
            faults->mend();
            append_random(world, 8, 3);
            Projector<Carts, Skus, Counts> again{world.store(), options};
            again.catch_up();
            expect_exact(world);
            if (testing::Test::HasFailure()) FAIL() << "lost at step " << at << ", done: " << done;
        }
    }
    EXPECT_GT(crashes, stride == 1 ? 200 : 8);
}

TEST_P(ALostDatabase, LeavesASwapDoneOrNotDone) {
    const std::int64_t stride = GetParam() == "memory" ? 1 : 7;
    bool ended = false;
    for (std::int64_t at = 0; !ended; at += stride) {
        World world{GetParam(), 2};
        append_random(world, 9, 6);
        auto faults = std::make_shared<Faults>();
        const ProjectorOptions options{.open = faulty(faults)};
        Projector<Counts>{world.store(), options}.catch_up();
        faults->mend();
        faults->lost_at = at;
        faults->after_commit = at % 2 == 1;
        try {
            Projector<NextCounts>{world.store(), options}.catch_up();
        } catch (const Error&) {
        }
        ended = !faults->lost;
        faults->mend();
        EXPECT_EQ(counts(world.store()), pure_counts(world.store()));  // whichever is read
        append_random(world, 10, 3);
        Projector<NextCounts>{world.store(), options}.catch_up();
        EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
        EXPECT_EQ(View<Counts>(world.store()).query(eventual(), "select 1 as one").version, 2);
        if (testing::Test::HasFailure()) FAIL() << "lost at step " << at;
    }
}

TEST_P(ALostDatabase, IsWaitedForByRun) {
    World world{GetParam()};
    append_random(world, 3, 10);
    auto faults = std::make_shared<Faults>();
    Projector<Counts> projector{
        world.store(), {.first_backoff = std::chrono::milliseconds{1}, .open = faulty(faults)}};
    faults->lost_at = faults->steps + 3;
    std::jthread running{[&](std::stop_token stop) { projector.run(stop); }};
    Session session;
    session.saw(world.append("cart-1", added("a")));
    // In memory the readers share the lost database.
    if (world.stored()) {
        View<Counts> view{world.store()};
        EXPECT_THROW(view.query(recount::session(session).wait_for(std::chrono::milliseconds{50}),
                                "select 1 as one"),
                     NotThereYet);
    }
    running.request_stop();
    running.join();
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
    faults->mend();
    projector.catch_up();
    EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
}

/// A view in a database of a server that crashed: what was committed last is gone, of checkpoint
/// and rows alike, and the projector has not noticed.
class ALostTail : public testing::TestWithParam<std::string> {
protected:
    World world{GetParam(), 2};
    std::string other = "cart-2";  // of another partition than cart-1

    ALostTail() {
        while (partition_of(other, 2) == partition_of("cart-1", 2)) other += "x";
    }
    std::unique_ptr<Database> database() {
        const std::string place = list_views(world.store())[0].place;
        return GetParam() == "sqlite" ? Database::open("sqlite:" + place, {.create = false})
                                      : Database::open(world.url() + "_views_counts_g1", {});
    }
    /// Applies an event of cart-1, and loses it again.
    void lose(Projector<Counts>& projector) {
        const std::int64_t partition = partition_of("cart-1", 2).value;
        world.append("cart-1", added("a"));
        projector.catch_up();
        const auto before =
            database()
                ->begin(SqlMode::snapshot)
                ->query("select position, hash from _checkpoint where partition = $1", partition);
        world.append("cart-1", added("b"));
        projector.catch_up();
        const auto views = database();
        const auto sql = views->begin(SqlMode::write);
        sql->exec("delete from counts where part = $1 and n = 2", partition);
        sql->exec("update _checkpoint set position = $2, hash = $3 where partition = $1", partition,
                  before.integer(0, 0), Bytes{before.bytes(0, 1)});
        sql->commit();
    }
    void expect_restored() {
        EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
        EXPECT_EQ(View<Counts>(world.store()).query(eventual(), "select 1 as one").lag.events, 0);
    }
};
INSTANTIATE_TEST_SUITE_P(On, ALostTail, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(ALostTail, IsFoundByAProjectorThatHasNothingElseToDo) {
    if (!world.stored()) GTEST_SKIP() << "nothing is kept of it";
    Projector<Counts> projector{world.store(), {.idle_wait = Duration::zero()}};
    lose(projector);
    projector.catch_up();
    expect_restored();
}

TEST_P(ALostTail, IsFoundAfterTheViewsWereAway) {
    if (!world.stored()) GTEST_SKIP() << "nothing is kept of it";
    auto faults = std::make_shared<Faults>();
    Projector<Counts> projector{world.store(),
                                {.idle_wait = std::chrono::hours{1}, .open = faulty(faults)}};
    lose(projector);
    world.append(other, added("c"));
    faults->lost_at = faults->steps;
    EXPECT_THROW(projector.catch_up(), Unavailable);
    faults->mend();
    projector.catch_up();
    expect_restored();
}

TEST_P(ALostTail, IsFoundAfterTheLogWasAway) {
    if (!world.stored()) GTEST_SKIP() << "nothing is kept of it";
    bool away = false;
    Interrupted log{world.store()};
    log.before_heads = [&] {
        if (away) throw Unavailable("the log is away; wait");
    };
    Projector<Counts> projector{log, {.views = world.url(), .idle_wait = std::chrono::hours{1}}};
    lose(projector);
    away = true;
    EXPECT_THROW(projector.catch_up(), Unavailable);
    away = false;
    projector.catch_up();
    expect_restored();
}

class TwoProjectors : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(On, TwoProjectors, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(TwoProjectors, OfOneViewDoNotCountTwice) {
    World world{GetParam()};
    append_random(world, 31, 20);
    const Duration never = std::chrono::hours{1};  // they do not look again of themselves
    Projector<Counts, Carts, Skus> one{world.store(), {.page_events = 10, .idle_wait = never}};
    Projector<Counts, Carts, Skus> other{world.store(), {.page_events = 7, .idle_wait = never}};
    // Each believes to be where it was when the other has gone on.
    one.catch_up();
    EXPECT_EQ(other.catch_up().fenced, 3);
    append_random(world, 32, 10);
    other.catch_up();
    EXPECT_EQ(one.catch_up().fenced, 3);
    expect_exact(world);
}

TEST_P(TwoProjectors, AtTheSameTimeMakeOneExactView) {
    World world{GetParam()};
    append_random(world, 41, 150);
    const Duration never = std::chrono::hours{1};
    Projector<Counts, Skus, Carts> one{world.store(), {.page_events = 8, .idle_wait = never}};
    Projector<Skus, Carts, Counts> other{world.store(), {.page_events = 5, .idle_wait = never}};
    Applied first, second;
    {
        std::jthread running{[&] { first = one.catch_up(); }};
        second = other.catch_up();
    }
    EXPECT_GT(first.fenced + second.fenced, 0);
    expect_exact(world);
}

}  // namespace
}  // namespace recount::test::projections
