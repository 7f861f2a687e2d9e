#include <recount/core/environment.hpp>
#include <recount/core/metrics.hpp>
#include <recount/testing/manual_environment.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <set>

namespace {

using namespace recount;
using namespace std::chrono_literals;
using recount::test::ManualEnvironment;

Scheduler& scheduler() { return Environment::system().scheduler; }

TEST(TheSystem, KnowsTheTime) {
    Clock& clock = Environment::system().clock;
    EXPECT_GT(clock.now(), parse_timestamp("2020-01-01T00:00:00Z"));
    const auto before = clock.steady();
    EXPECT_TRUE(scheduler().sleep(2ms));
    EXPECT_GE(clock.steady() - before, 2ms);
}

TEST(TheSystem, GivesEvenChance) {
    Random& random = Environment::system().random;
    std::set<std::uint64_t> seen;
    double sum = 0;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(random.next());
        const double value = random.uniform();
        ASSERT_TRUE(value >= 0 && value < 1);
        sum += value;
    }
    EXPECT_EQ(seen.size(), 1000U);
    EXPECT_NEAR(sum / 1000, 0.5, 0.1);
    std::array<std::uint8_t, 5000> large{};
    random.fill(large);
    EXPECT_GT(std::set<std::uint8_t>(large.begin(), large.end()).size(), 200U);
}

TEST(AChildProcess, DoesNotRepeatItsParentsChance) {
    Random& random = Environment::system().random;
    (void)random.next();  // so that something was read ahead
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
        const std::uint64_t value = random.next();
        _exit(write(ends[1], &value, sizeof value) == sizeof value ? 0 : 1);
    }
    std::uint64_t theirs = 0;
    ASSERT_EQ(read(ends[0], &theirs, sizeof theirs), static_cast<ssize_t>(sizeof theirs));
    EXPECT_NE(random.next(), theirs);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    close(ends[0]);
    close(ends[1]);
}

TEST(ASignal, IsNotMissedBetweenLookAndWait) {
    const auto signal = scheduler().signal();
    const std::uint64_t seen = signal->count();
    signal->raise();
    EXPECT_TRUE(signal->wait(seen, 0ms, {}));
    EXPECT_FALSE(signal->wait(signal->count(), 1ms, {}));
}

TEST(ASignal, WakesWhoWaits) {
    const auto signal = scheduler().signal();
    const auto task = scheduler().spawn("raiser", [&](std::stop_token) { signal->raise(); });
    EXPECT_TRUE(signal->wait(0, Duration::max(), {}));
}

TEST(AWaiter, EndsWhenAskedToStop) {
    const auto signal = scheduler().signal();
    std::atomic<bool> raised{true}, slept{true};
    const auto waiting = scheduler().spawn(
        "a task with a name that is too long for the kernel",
        [&](std::stop_token stop) { raised = signal->wait(0, Duration::max(), stop); });
    const auto sleeping = scheduler().spawn(
        "sleeper", [&](std::stop_token stop) { slept = scheduler().sleep(1h, stop); });
    for (const auto* task : {&waiting, &sleeping}) {
        (*task)->request_stop();
        (*task)->join();
    }
    EXPECT_FALSE(raised);
    EXPECT_FALSE(slept);
}

TEST(ATask, IsStoppedAndJoinedByItsDestructor) {
    std::atomic<bool> ended{false};
    {
        const auto task = scheduler().spawn("task", [&](std::stop_token stop) {
            scheduler().sleep(1h, stop);
            ended = true;
        });
    }
    EXPECT_TRUE(ended);
}

TEST(AManualWorld, StandsStillUntilItIsMoved) {
    ManualEnvironment world;
    const Timestamp before = world.now();
    EXPECT_EQ(world.environment().clock.now(), before);
    world.advance(90s);
    EXPECT_EQ(world.environment().clock.now(), before + 90s);
    EXPECT_EQ(world.environment().clock.steady(), 90s);
    world.set_now(before - 1h);
    EXPECT_EQ(world.now(), before - 1h);
    EXPECT_EQ(world.environment().clock.steady(), 90s) << "only the clock on the wall jumps";
}

TEST(AManualWorld, SleepsWithoutWaiting) {
    ManualEnvironment world;
    Environment& environment = world.environment();
    EXPECT_TRUE(environment.scheduler.sleep(1h));
    EXPECT_EQ(environment.clock.steady(), 1h);
    const auto signal = environment.scheduler.signal();
    EXPECT_FALSE(signal->wait(0, 2h, {}));
    EXPECT_EQ(environment.clock.steady(), 3h);
}

TEST(AManualWorld, LetsItsTasksWorkBeforeTimeMovesOn) {
    ManualEnvironment world;
    Environment& environment = world.environment();
    const auto request = environment.scheduler.signal(), answer = environment.scheduler.signal();
    const auto task = environment.scheduler.spawn("server", [&](std::stop_token stop) {
        for (std::uint64_t seen = 0; request->wait(seen, 1h, stop); ++seen) answer->raise();
    });
    for (std::uint64_t i = 0; i < 100; ++i) {
        request->raise();
        ASSERT_TRUE(answer->wait(i, 1s, {})) << "a task that can answer does so in no time";
    }
    EXPECT_EQ(environment.clock.steady(), 0s);
}

TEST(AManualWorld, WakesItsTasksInTheOrderOfTheirTimes) {
    ManualEnvironment world;
    Environment& environment = world.environment();
    std::string order;
    const auto late = environment.scheduler.spawn("late", [&](std::stop_token stop) {
        environment.scheduler.sleep(3s, stop);
        order += "late ";
    });
    const auto early = environment.scheduler.spawn("early", [&](std::stop_token stop) {
        environment.scheduler.sleep(1s, stop);
        order += "early ";
    });
    environment.scheduler.sleep(2s);
    order += "test ";
    late->join();
    EXPECT_EQ(order, "early test late ");
    EXPECT_EQ(environment.clock.steady(), 3s);
}

TEST(AManualWorld, StopsItsTasks) {
    ManualEnvironment world;
    Scheduler& manual = world.environment().scheduler;
    bool slept = true;
    {
        const auto task =
            manual.spawn("task", [&](std::stop_token stop) { slept = manual.sleep(1h, stop); });
    }
    EXPECT_FALSE(slept);
}

}  // namespace
