#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/testing/manual_environment.hpp>

#include <atomic>

#include "faults.hpp"
#include "interrupted_log.hpp"
#include "world.hpp"

namespace recount::test::projections {
namespace {

/// A view that cannot be fed while what it needs is away.
struct Sick : Counts {
    static constexpr std::string_view name = "sick";
    static inline std::atomic<bool> away;
    static inline std::atomic<int> tries;

    template <class E>
    static void on(const E& event, const Recorded& at, Sql& sql) {
        ++tries;
        if (away) throw Unavailable("what it needs is away; wait");
        Counts::on(event, at, sql);
    }
};

class ASickView : public testing::Test {
protected:
    ASickView() {
        Sick::away = true;
        Sick::tries = 0;
    }
    std::unique_ptr<Task> running(auto& projector) {
        return scheduler.spawn("projector", [&](std::stop_token stop) { projector.run(stop); });
    }
    void append() { world.append("cart-1", added("a")); }
    void pass(Duration duration) { scheduler.sleep(duration); }
    /// Throws when the view does not show all of the log.
    template <class V>
    void expect_current() {
        View<V>{world.store()}.query(strong().fail(), "select 1 as one");
    }

    static inline std::uint64_t worlds = 0;
    ManualEnvironment time{++worlds};  // the same chance would give the same store again
    Scheduler& scheduler = time.environment().scheduler;
    World world{"memory", 2, &time.environment()};
    ProjectorOptions options{.views = world.url(),
                             .first_backoff = std::chrono::hours{1},
                             .last_backoff = std::chrono::hours{1}};
};

TEST_F(ASickView, IsTriedAgainByItselfWhileTheOthersGoOn) {
    Projector<Counts, Sick> projector{world.store(), options};
    const auto task = running(projector);
    for (int count = 0; count < 3; ++count) {
        append();
        pass(std::chrono::seconds{2});
        EXPECT_NO_THROW(expect_current<Counts>());
        EXPECT_THROW(expect_current<Sick>(), NotThereYet);
    }
    EXPECT_EQ(Sick::tries, 1);
    Sick::away = false;
    pass(std::chrono::hours{1});
    EXPECT_NO_THROW(expect_current<Sick>());
    append();
    pass(std::chrono::seconds{2});
    EXPECT_NO_THROW(expect_current<Sick>());
}

TEST_F(ASickView, ThatIsAloneLeavesTheLogInPeaceMeanwhile) {
    Interrupted log{world.store()};
    std::atomic<int> asked = 0;
    log.before_heads = [&] { ++asked; };
    Projector<Sick> projector{log, options};
    const auto task = running(projector);
    for (int count = 0; count < 3; ++count) {
        append();
        pass(std::chrono::seconds{2});
    }
    EXPECT_EQ(Sick::tries, 1);
    const int before = asked;
    append();
    pass(std::chrono::seconds{2});
    EXPECT_EQ(asked, before);
}

TEST_F(ASickView, IsTriedAtOnceByCatchUp) {
    append();
    Projector<Sick> projector{world.store(), options};
    EXPECT_THROW(projector.catch_up(), Unavailable);
    Sick::away = false;
    projector.catch_up();
    EXPECT_NO_THROW(expect_current<Sick>());
}

TEST_F(ASickView, IsMeasuredByTheFirstEventThatItLacks) {
    const auto lag = [&] {
        return time.metrics()
            .gauge("recount_projection_lag_seconds", "", {{"view", "sick"}})
            .value();
    };
    Projector<Sick> projector{world.store(), options};
    projector.catch_up();
    EXPECT_EQ(lag(), 0);
    append();
    pass(std::chrono::seconds{30});
    append();
    pass(std::chrono::seconds{10});
    EXPECT_THROW(projector.catch_up(), Unavailable);
    EXPECT_EQ(lag(), 40);
    pass(std::chrono::seconds{5});
    EXPECT_THROW(projector.catch_up(), Unavailable);
    EXPECT_EQ(lag(), 45);
    Sick::away = false;
    projector.catch_up();
    EXPECT_EQ(lag(), 0);
}

/// A view whose hook is slow to end, as with a silent database, and whose projector is to stop
/// then.
struct Stopping : Counts {
    static constexpr std::string_view name = "stopping";
    static inline std::stop_source stop;

    template <class E>
    static void on(const E& event, const Recorded& at, Sql& sql) {
        stop.request_stop();
        Counts::on(event, at, sql);
    }
};

TEST_F(ASickView, IsNotTriedAnyMoreByWhoIsToStop) {
    append();
    Stopping::stop = {};
    Projector<Stopping, Sick> projector{world.store(), options};
    EXPECT_TRUE(projector.run(Stopping::stop.get_token()).asked);
    EXPECT_EQ(Sick::tries, 0);
    EXPECT_NO_THROW(expect_current<Stopping>());
    Sick::away = false;
    projector.catch_up();
    EXPECT_NO_THROW(expect_current<Sick>());
}

/// A view whose hook passes over what its statements throw, a lost database too.
struct Swallowing : Counts {
    static constexpr std::string_view name = "swallowing";

    template <class E>
    static void on(const E& event, const Recorded& at, Sql& sql) {
        for (int time = 0; time < 2; ++time) {
            try {
                Counts::on(event, at, sql);
                return;
            } catch (const Error&) {
                continue;
            }
        }
    }
};

TEST_F(ASickView, ThatSwallowsALostDatabaseSetsNothingAside) {
    append();
    const auto faults = std::make_shared<Faults>();
    options.open = faulty(faults);
    Projector<Swallowing> projector{world.store(), options};
    bool lost = false;
    faults->before_run = [&](std::string_view sql) {
        if (!sql.starts_with("insert into counts")) return;
        if (std::exchange(lost, true)) throw InvalidArgument("there is no such connection");
        throw Unavailable("the connection was lost; wait");
    };
    EXPECT_THROW(projector.catch_up(), Unavailable);
    faults->mend();
    projector.catch_up();
    EXPECT_EQ(projector.status().at(0).parked_events, 0);
    EXPECT_NO_THROW(expect_current<Swallowing>());
}

/// A view whose hooks take two seconds each, in a database that ends a transaction after ten.
struct Slow : Counts {
    static constexpr std::string_view name = "slow";
    static inline Scheduler* scheduler;
    template <class E>
    static void on(const E& event, const Recorded& at, Sql& sql) {
        scheduler->sleep(std::chrono::seconds{2});
        Counts::on(event, at, sql);
    }
};

TEST_F(ASickView, WhosePageTakesTooLongIsGivenSmallerOnes) {
    Slow::scheduler = &scheduler;
    const auto faults = std::make_shared<Faults>();
    std::chrono::nanoseconds began{};
    Clock& clock = time.environment().clock;
    faults->before_begin = [&] { began = clock.steady(); };
    faults->before_commit = [&] {
        if (clock.steady() - began > std::chrono::seconds{10})
            throw Unavailable("it was idle for too long; be faster");
    };
    options.open = faulty(faults);
    constexpr int events = 200;
    for (int count = 0; count < events; ++count) append();
    Projector<Slow> projector{world.store(), options};
    int failures = 0;
    for (bool there = false; !there && failures < 100;) {
        try {
            projector.catch_up();
            there = true;
        } catch (const Unavailable&) {
            ++failures;
        }
    }
    View<Slow> view{world.store()};
    EXPECT_EQ(view.query(eventual(), "select count(*) from counts").result.integer(0, 0), events);
    EXPECT_GT(failures, 2);
    EXPECT_LT(failures, 20) << "pages grow again too soon";
}

}  // namespace
}  // namespace recount::test::projections
