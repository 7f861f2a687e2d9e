#include <recount/core/error.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "eventstore/contract/store_contract.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using Kind = AppendResult::Kind;

/// Another process, say a person's SQLite shell, that has the write lock of a store's file until it
/// is told to let go. It knows nothing of the lock file.
class ForeignWriter {
public:
    explicit ForeignWriter(const std::string& url) {
        if (pipe(to_child_) != 0 || pipe(from_child_) != 0) throw std::runtime_error("no pipe");
        child_ = fork();
        if (child_ < 0) throw std::runtime_error("no process");
        if (child_ == 0) hold(url);
        char ready = 0;
        if (read(from_child_[0], &ready, 1) != 1 || ready != 'r') {
            throw std::runtime_error("the other process did not get the lock");
        }
    }
    ~ForeignWriter() {
        let_go();
        for (const int end : {to_child_[0], to_child_[1], from_child_[0], from_child_[1]}) {
            close(end);
        }
    }
    ForeignWriter(const ForeignWriter&) = delete;
    ForeignWriter& operator=(const ForeignWriter&) = delete;

    void let_go() {
        if (child_ < 0) return;
        EXPECT_EQ(::write(to_child_[1], "x", 1), 1);
        int status = 0;
        waitpid(child_, &status, 0);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        child_ = -1;
    }

private:
    [[noreturn]] void hold(const std::string& url) const {
        try {
            const auto database = Database::open(url);
            const auto transaction = database->begin(SqlMode::write);
            transaction->exec("update store set horizon = horizon");
            char told = 0;
            if (::write(from_child_[1], "r", 1) != 1 || read(to_child_[0], &told, 1) != 1) _exit(2);
            transaction->commit();
        } catch (const std::exception&) {
            _exit(1);
        }
        _exit(0);
    }

    int to_child_[2]{}, from_child_[2]{};
    pid_t child_ = -1;
};

/// Before the other process there is nothing of SQLite in this one, as its locks are the process's.
class AFileThatAnotherProcessWrites : public testing::Test {
protected:
    AFileThatAnotherProcessWrites() {
        static_cast<void>(open_store(url_)->append(make_append("before", {write("cart-1")})));
    }

    TemporaryFolder folder_;
    std::string url_ = "sqlite:" + folder_.file("store.db");
};

TEST_F(AFileThatAnotherProcessWrites, IsReadAndNotWrittenUntilTheLockIsFree) {
    ForeignWriter other{url_};
    const auto store = open_store(url_, {.timeout = std::chrono::milliseconds{30}});
    const Append append = make_append("meanwhile", {write("cart-1", Expected::exactly({1}), 2)});
    const auto busy = ThrowsMessage<Unavailable>(HasSubstr("holds the lock"));
    EXPECT_THAT([&] { static_cast<void>(store->append(append)); }, busy);
    EXPECT_THAT([&] { store->void_command("other"); }, busy);
    EXPECT_THAT([&] { store->erase(stream("cart-1"), {1}, {1}); }, busy);
    EXPECT_EQ(store->read_stream(stream("cart-1")).head, Version{1});
    EXPECT_FALSE(store->find_outcome("meanwhile"));
    store->verify_chain();

    other.let_go();
    EXPECT_EQ(store->append(append).kind, Kind::committed);
    EXPECT_EQ(store->read_stream(stream("cart-1")).head, Version{3});
    EXPECT_EQ(store->verify_chain(), store->heads());
}

TEST_F(AFileThatAnotherProcessWrites, IsWaitedFor) {
    ForeignWriter other{url_};
    const auto store = open_store(url_, {.timeout = std::chrono::seconds{60}});
    std::vector<std::jthread> writers;
    std::atomic<int> committed = 0;
    for (int i = 0; i < 4; ++i) {
        writers.emplace_back([&, i] {
            const Append append = make_append("id-" + std::to_string(i), {write("cart-1")});
            EXPECT_NO_THROW(committed += store->append(append).kind == Kind::committed ? 1 : 0);
        });
    }
    // Time enough for them to come to the lock: somebody who waits for it himself, and gives up.
    const auto impatient = Database::open(url_, {.timeout = std::chrono::milliseconds{300}});
    EXPECT_THROW(impatient->begin(SqlMode::write), Unavailable);
    EXPECT_EQ(committed, 0);
    other.let_go();
    writers.clear();
    EXPECT_EQ(committed, 4);
    EXPECT_EQ(store->read_stream(stream("cart-1")).head, Version{5});
}

}  // namespace
}  // namespace recount::test
