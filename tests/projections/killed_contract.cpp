#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "world.hpp"

namespace recount::test::projections {
namespace {

class AKilledProcess : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(On, AKilledProcess, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

/// Projects until it is killed; tells through the pipe each time it has caught up a little.
[[noreturn]] void project(World& world, int told) {
    try {
        world.open();
        while (true) {
            Projector<Counts, Skus, Carts> projector{world.store(), {.page_events = 5}};
            append_random(world, static_cast<std::uint32_t>(getpid()), 4);
            projector.catch_up();
            if (write(told, "x", 1) != 1) _exit(2);
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "child: %s\n", error.what());
    }
    _exit(1);
}

TEST_P(AKilledProcess, LeavesExactViewsWheneverItDies) {
    if (GetParam() == "memory") GTEST_SKIP() << "it dies with the process";
    World world{GetParam(), 2};
    append_random(world, 51, 30);
    world.close();
    for (int death = 0; death < 8; ++death) {
        int pipes[2];
        ASSERT_EQ(pipe(pipes), 0);
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) project(world, pipes[1]);
        close(pipes[1]);
        // Dies at some moment after its first, second … round: when, only the machine knows.
        char byte = 0;
        for (int round = 0; round <= death % 3; ++round) ASSERT_EQ(read(pipes[0], &byte, 1), 1);
        Environment::system().scheduler.sleep(std::chrono::microseconds{death * 1700});
        kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status));
        close(pipes[0]);
    }
    world.open();
    Projector<Counts, Skus, Carts>{world.store()}.catch_up();
    EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
    EXPECT_EQ(rows<Skus>(world.store()), pure_skus(world.store()));
    EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
    EXPECT_GT(counts(world.store()).size(), 60U);
}

}  // namespace
}  // namespace recount::test::projections
