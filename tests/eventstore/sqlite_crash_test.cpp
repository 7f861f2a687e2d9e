#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "eventstore/contract/store_contract.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

constexpr int threads = 4;

/// Appends from several threads, and tells of each append that was committed, until it is killed.
[[noreturn]] void append_for_ever(const std::string& url, int round, int told) {
    const auto store = open_store(url);
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < threads; ++writer) {
        writers.emplace_back([&, writer] {
            for (int i = 0;; ++i) {
                const std::string id =
                    std::to_string(round) + "/" + std::to_string(writer) + "/" + std::to_string(i);
                const std::string mine = "order-" + std::to_string(round * threads + writer);
                const AppendResult result = store->append(
                    make_append(id, {write("cart-" + std::to_string(i % 20), Expected::any(), 2),
                                     write(mine, Expected::exactly({i}), 1)}));
                if (result.kind != AppendResult::Kind::committed) _exit(2);
                const std::string line = id + "\n";
                // A line is shorter than what a pipe takes whole.
                if (::write(told, line.data(), line.size()) < 0) _exit(3);
            }
        });
    }
    writers.clear();
    _exit(4);
}

/// What a child told until it died, which it does once it told of `enough` appends.
std::vector<std::string> kill_after(std::size_t enough, const std::string& url, int round) {
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) throw std::runtime_error("no pipe");
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("no process");  // kill(-1) would be everybody's end
    if (child == 0) append_for_ever(url, round, pipe_ends[1]);
    close(pipe_ends[1]);
    std::string text;
    char buffer[256];
    bool killed = false;
    for (ssize_t size; (size = read(pipe_ends[0], buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(size));
        const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        if (!killed && lines >= enough) killed = kill(child, SIGKILL) == 0;
    }
    close(pipe_ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
    std::vector<std::string> lines;
    for (std::size_t at = 0, end; (end = text.find('\n', at)) != text.npos; at = end + 1) {
        lines.push_back(text.substr(at, end - at));
    }
    return lines;
}

TEST(AProcessThatIsKilledWhileItAppends, LosesNothingItWasToldAndLeavesNothingHalf) {
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + folder.file("store.db");
    std::vector<std::string> told;
    constexpr int rounds = 8;
    for (int round = 0; round < rounds; ++round) {
        const auto lines = kill_after(1 + static_cast<std::size_t>(round) * 17, url, round);
        told.insert(told.end(), lines.begin(), lines.end());

        const auto store = open_store(url);
        EXPECT_EQ(store->verify_chain(), store->heads());
        for (const std::string& id : told) {
            const auto outcome = store->find_outcome(id);
            ASSERT_TRUE(outcome) << id << " was acknowledged and is gone";
            EXPECT_EQ(outcome->kind, CommandOutcome::Kind::events);
        }
        std::map<std::string, std::uint32_t> events_of;
        for (std::int32_t i = 0; i < 16; ++i) {
            for (std::int64_t n = 0;;) {
                const LogPage page = store->read(Partition{i}, n);
                for (const RecordedEvent& event : page.events) {
                    n = event.at.position.n;
                    ++events_of[event.at.append_id];
                }
                if (page.end) break;
            }
        }
        EXPECT_GE(events_of.size(), told.size());
        for (const auto& [id, events] : events_of) {
            EXPECT_EQ(events, 3U) << id << " is there in part";
            EXPECT_TRUE(store->find_outcome(id)) << id << " has events and no outcome";
        }
    }
    EXPECT_GT(told.size(), 400U);
}

}  // namespace
}  // namespace recount::test
