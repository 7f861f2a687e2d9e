#include <recount/core/error.hpp>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "eventstore/contract/store_contract.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

/// Lets no file of this process grow beyond `bytes`: writes behind that fail.
void limit_files(rlim_t bytes) {
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/// Runs in a process of its own, whose limits are its own; what it returns is its exit code.
int in_child(const std::function<int()>& run) {
    const pid_t child = fork();
    if (child < 0) return -2;
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        try {
            _exit(run());
        } catch (...) {
            _exit(100);
        }
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Append large(const std::string& id) {
    return make_append(id,
                       {{stream("cart-1"), Expected::any(), {event(std::string(50'000, 'x'))}}});
}

TEST(ADiskThatFailsDuringACommit, LeavesTheOutcomeUnknownUntilTheAppendIsSentAgain) {
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + folder.file("store.db");
    const int code = in_child([&] {
        const auto store = open_store(url);
        static_cast<void>(store->append(large("first")));
        limit_files(std::filesystem::file_size(folder.file("store.db-wal")));
        bool unknown = false;
        try {
            static_cast<void>(store->append(large("second")));
        } catch (const OutcomeUnknown& error) {
            unknown = error.retryable();
        }
        if (!unknown) return 1;
        if (store->read_stream(stream("cart-1")).head != Version{1}) return 2;
        limit_files(RLIM_INFINITY);
        if (store->append(large("second")).kind != AppendResult::Kind::committed) return 3;
        return store->verify_chain() == store->heads() ? 0 : 4;
    });
    EXPECT_EQ(code, 0);
    const auto store = open_store(url);
    EXPECT_EQ(store->read_stream(stream("cart-1")).head, Version{2});
    EXPECT_TRUE(store->find_outcome("second"));
}

/// Writes fail from the first byte on that a new store would need, from the second, and so on.
TEST(ADiskThatFailsWhileAStoreIsMade, LeavesNoneOrAWholeOne) {
    for (rlim_t bytes = 0; bytes < 100'000; bytes += 7'001) {
        const TemporaryFolder folder;
        const std::string url = "sqlite:" + folder.file("store.db");
        const int code = in_child([&] {
            limit_files(bytes);
            try {
                open_store(url);
            } catch (const Error&) {
            }
            return 0;
        });
        ASSERT_EQ(code, 0) << bytes;
        const auto store = open_store(url);
        static_cast<void>(store->append(make_append("a", {write("cart-1")})));
        EXPECT_EQ(store->verify_chain(), store->heads());
    }
}

}  // namespace
}  // namespace recount::test
