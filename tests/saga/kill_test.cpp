#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include <spawn.h>
#include <sys/wait.h>

#include "many_orders.hpp"
#include "orders.hpp"
#include "support/temporary_folder.hpp"

extern char** environ;

namespace recount::saga_test {
namespace {

/// Runs the worker to its end, and says how it ended.
int status_of(const std::string& url, int call, int microseconds) {
    std::vector<std::string> words{SAGA_WORKER, url, std::to_string(call),
                                   std::to_string(microseconds)};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    if (posix_spawn(&child, SAGA_WORKER, nullptr, nullptr, arguments.data(), environ) != 0)
        throw std::runtime_error("cannot start " SAGA_WORKER);
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

TEST(AKilledProcess, GoesOnToTheSameEndWhenItIsBack) {
    const test::TemporaryFolder folder;
    const std::string url = "sqlite:" + folder.file("store.db");
    int killed = 0;
    bool done = false;
    // Each life gets a little further than the calls a restart takes.
    for (int life = 0; life < 60 && !done; ++life) {
        const int call = 1 + (life * 37) % 97;
        const int status = status_of(url, call, (life * 613) % 2500);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
            ++killed;
        } else {
            ASSERT_TRUE(WIFEXITED(status)) << status;
            ASSERT_EQ(WEXITSTATUS(status), 0);
            done = true;
        }
    }
    EXPECT_GE(killed, 5);
    EXPECT_EQ(status_of(url, 0, 0), 0);

    const auto store = open_store(url);
    EXPECT_THAT(audit(*store, many_orders()), testing::IsEmpty());
    store->verify_chain();
}

}  // namespace
}  // namespace recount::saga_test
