#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "support/eventually.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;
using std::chrono::seconds;

/// Another process, a copy of this one, that runs one function. Killed with the object.
class Child {
public:
    explicit Child(const std::function<void(Child&)>& run) {
        EXPECT_EQ(::pipe(go_.data()), 0);
        EXPECT_EQ(::pipe(ready_.data()), 0);
        pid_ = ::fork();
        if (pid_ != 0) return;
        try {
            run(*this);
        } catch (...) {
            ::_exit(1);
        }
        ::_exit(0);
    }
    ~Child() {
        kill();
        for (const int end : {go_[0], go_[1], ready_[0], ready_[1]}) ::close(end);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // In the child.
    void say_ready() { EXPECT_EQ(::write(ready_[1], "r", 1), 1); }
    void wait_for_go() {
        char byte = 0;
        EXPECT_EQ(::read(go_[0], &byte, 1), 1);
    }

    // In the parent.
    void wait_until_ready() {
        char byte = 0;
        ASSERT_EQ(::read(ready_[0], &byte, 1), 1);
    }
    void go() { EXPECT_EQ(::write(go_[1], "g", 1), 1); }
    [[nodiscard]] bool stops() {
        int status = 0;
        return ::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status);
    }
    void proceed() { ::kill(pid_, SIGCONT); }
    [[nodiscard]] int exit_code() {
        int status = 0;
        ::waitpid(std::exchange(pid_, 0), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(std::exchange(pid_, 0), nullptr, 0);
    }

private:
    pid_t pid_ = 0;
    std::array<int, 2> go_{}, ready_{};
};

/// Stops its process when salts are made of it, which a store does while it holds its locks.
class StoppingRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> bytes) override {
        if (std::exchange(armed, false)) ::raise(SIGSTOP);
        Environment::system().random.fill(bytes);
    }
    bool armed = false;
};

TEST(StoppedClient, HoldsNobodyUpForMoreThanTwoSeconds) {
    const OwnSchema schema;
    Child child{[&](Child&) {
        StoppingRandom random;
        Environment& system = Environment::system();
        Environment environment{system.clock, random, system.scheduler, system.metrics};
        const auto store = open_store(schema.url(), {.environment = &environment});
        random.armed = true;
        const auto result = store->append(append_to("cart-1"));  // not known yet: it locks
        ::_exit(result.kind == Kind::committed ? 0 : 2);
    }};
    ASSERT_TRUE(child.stops());
    const auto store = open_store(schema.url());
    const auto began = Environment::system().clock.steady();
    EXPECT_EQ(store->append(append_to("cart-1")).kind, Kind::committed);
    const auto took = Environment::system().clock.steady() - began;
    EXPECT_GT(took, std::chrono::milliseconds{500}) << "the stopped client held no lock";
    EXPECT_LT(took, seconds{4});

    child.proceed();
    EXPECT_EQ(child.exit_code(), 0) << "what it had begun was rolled back, so it begins again";
    EXPECT_EQ(version_of(*store, "cart-1"), 2);
}

/// An import of 60 events, ten a chunk.
Imported import_sixty(EventStore& store, const std::function<void(std::int64_t)>& progress) {
    return import_events(store, {.id = "file", .chunk_events = 10, .progress = progress},
                         [i = 0]() mutable -> std::optional<ImportedEvent> {
                             if (i == 60) return {};
                             const int n = i++;
                             return ImportedEvent{
                                 StreamName::parse("order-" + std::to_string(n % 7)),
                                 {"test.Happened", std::to_string(n)}};
                         });
}

TEST(ImportThatIsStoppedWhileItCopies, HoldsNobodyUpAndGoesOnAfterItsDeath) {
    const OwnSchema schema;
    Child child{[&](Child&) {
        StoppingRandom random;
        Environment& system = Environment::system();
        Environment environment{system.clock, random, system.scheduler, system.metrics};
        const auto store = open_store(schema.url(), {.environment = &environment});
        // By then it knows the heads.
        static_cast<void>(
            import_sixty(*store, [&](std::int64_t events) { random.armed = events == 30; }));
        ::_exit(2);
    }};
    ASSERT_TRUE(child.stops());
    const auto store = open_store(schema.url());
    for (int i = 0; i < 7; ++i) {
        const auto began = Environment::system().clock.steady();
        const auto neighbour = stream_in(partition_of("order-" + std::to_string(i), 16));
        EXPECT_EQ(store->append(append_to(neighbour)).kind, Kind::committed);
        EXPECT_LT(Environment::system().clock.steady() - began, std::chrono::milliseconds{1500});
    }
    child.kill();
    const Imported done = import_sixty(*store, {});
    EXPECT_EQ(done.kind, Imported::Kind::complete);
    EXPECT_GE(done.repeated, 30);
    EXPECT_LE(done.repeated, 40) << "the chunk before the one that was copied";
    EXPECT_EQ(done.events, 60);
    std::int64_t events = 0;
    for (const LogHead& head : store->verify_chain()) events += head.n;
    EXPECT_EQ(events, 67);
    EXPECT_EQ(version_of(*store, "order-0"), 9);
}

TEST(KilledOwnerOfALease, IsReplacedWithinFiveSeconds) {
    const OwnSchema schema;
    open_store(schema.url());
    const std::array partitions{Partition{0}, Partition{1}};
    Child child{[&](Child& self) {
        const auto leases = Leases::open(schema.url());
        if (leases->acquire("relay", partitions).size() != 2) ::_exit(2);
        self.say_ready();
        self.wait_for_go();
    }};
    child.wait_until_ready();
    const auto leases = Leases::open(schema.url());
    EXPECT_TRUE(leases->acquire("relay", partitions).empty());
    child.kill();
    const auto began = Environment::system().clock.steady();
    std::vector<Lease> taken;
    ASSERT_TRUE(eventually([&] {
        taken = leases->acquire("relay", partitions);
        return !taken.empty();
    }));
    EXPECT_LT(Environment::system().clock.steady() - began, seconds{5});
    EXPECT_EQ(taken.front().epoch, 2);
}

/// A client that dies while the server lets its statement wait for a partition.
class ClientKilledWhileItWaits : public testing::TestWithParam<bool> {
protected:
    ClientKilledWhileItWaits()
        : append_(append_to("cart-1")), child_([this](Child& child) {
              const auto store = open_store(schema_.url());
              // With the stream known, all of the append is one statement, which goes on without
              // us.
              const bool known = GetParam();
              if (known) static_cast<void>(store->append(append_to("cart-1")));
              child.say_ready();
              child.wait_for_go();
              static_cast<void>(store->append(append_));
          }) {}

    void SetUp() override {
        child_.wait_until_ready();
        store_ = open_store(schema_.url());
        before_ = version_of(*store_, "cart-1");
        database_ = Database::open(schema_.url());
        holder_ = database_->begin(SqlMode::write);
        const auto pid =
            holder_->query("select pg_backend_pid() from partition for update").integer(0, 0);
        child_.go();
        ASSERT_TRUE(eventually([&] {
            const auto waiting = look(
                "select pid from pg_stat_activity "
                "where $1 = any(pg_blocking_pids(pid))",
                pid);
            if (!waiting.empty()) waiting_ = waiting.integer(0, 0);
            return !waiting.empty();
        }));
        child_.kill();
    }

    SqlResult look(std::string_view sql, std::int64_t argument) {
        const auto database = Database::open(schema_.url());
        return database->begin(SqlMode::snapshot)->query(sql, argument);
    }

    void release() {
        holder_->commit();
        ASSERT_TRUE(eventually([&] {
            return look("select 1 from pg_stat_activity where pid = $1", waiting_).empty();
        }));
    }

    OwnSchema schema_;
    Append append_;
    Child child_;
    std::unique_ptr<EventStore> store_;
    std::unique_ptr<Database> database_;
    std::unique_ptr<SqlTransaction> holder_;
    std::int64_t before_ = 0;
    std::int64_t waiting_ = 0;
};

TEST_P(ClientKilledWhileItWaits, CannotAppendAfterItsCommandWasVoided) {
    EXPECT_FALSE(store_->find_outcome(append_.metadata.command_id)) << "which proves nothing";
    EXPECT_EQ(store_->void_command(append_.metadata.command_id).kind, CommandOutcome::Kind::voided);
    release();
    EXPECT_EQ(version_of(*store_, "cart-1"), before_);
    EXPECT_EQ(store_->find_outcome(append_.metadata.command_id)->kind,
              CommandOutcome::Kind::voided);
    store_->verify_chain();
}

TEST_P(ClientKilledWhileItWaits, AppendsOnceWhenItsCommandIsSentAgain) {
    release();
    const auto kind = store_->append(append_).kind;
    EXPECT_EQ(kind, GetParam() ? Kind::repeated : Kind::committed);
    EXPECT_EQ(version_of(*store_, "cart-1"), before_ + 1);
    store_->verify_chain();
}

std::string path_name(const testing::TestParamInfo<bool>& info) {
    return info.param ? "InOneStatement" : "InATransaction";
}

INSTANTIATE_TEST_SUITE_P(Paths, ClientKilledWhileItWaits, testing::Bool(), path_name);

}  // namespace
}  // namespace recount::test
