#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/testing/manual_environment.hpp>

#include <atomic>
#include <cmath>
#include <optional>
#include <set>

#include "interrupted_log.hpp"
#include "log_lines.hpp"
#include "world.hpp"

namespace recount::test::projections {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A copy of a log of which a partition cannot be had: reading it fails, as one whose leader is
/// gone does, or gives nothing, as one that nobody relays.
class CopyOfALog : public Interrupted {
public:
    using Interrupted::Interrupted;
    LogPage read(Partition partition, std::int64_t after, const ReadLog& options) override {
        if (fails.contains(partition)) {
            ++tries;
            environment().scheduler.sleep(takes);
            throw Unavailable("no broker answers; start one");
        }
        if (silent.contains(partition)) return {.end = true, .upto = after};
        return Interrupted::read(partition, after, options);
    }
    std::set<Partition> fails, silent;
    Duration takes = seconds{10};
    std::atomic<int> tries = 0;
};

class APartitionThatIsNotGiven : public testing::Test {
protected:
    /// The first stream of a partition.
    static std::string stream(std::int32_t partition) {
        for (int number = 0;; ++number) {
            std::string name = "cart-" + std::to_string(number);
            if (partition_of(StreamName::parse(name), partitions).value == partition) return name;
        }
    }
    void append_to(std::int32_t partition) { world.append(stream(partition), added("a")); }
    void append_to_all() {
        for (std::int32_t number = 0; number < partitions; ++number) append_to(number);
    }
    std::int64_t items(std::int32_t partition) {
        const auto read = View<Carts>{world.store()}.get(stream(partition).substr(5));
        return read ? read->items() : 0;
    }
    std::unique_ptr<Task> running(auto& projector) {
        return scheduler.spawn("projector", [&](std::stop_token stop) { projector.run(stop); });
    }
    void pass(Duration duration) { scheduler.sleep(duration); }

    static constexpr std::int32_t partitions = 3;
    static inline std::uint64_t worlds = 1000;
    ManualEnvironment time{++worlds};
    Scheduler& scheduler = time.environment().scheduler;
    World world{"memory", partitions, &time.environment()};
    CopyOfALog log{world.store()};
    ProjectorOptions options{.views = world.url()};
};

TEST_F(APartitionThatIsNotGiven, LetsTheOthersGoOn) {
    const LogLines lines;
    log.fails = {Partition{1}};
    Projector<Carts> projector{log, options};
    const auto task = running(projector);
    append_to_all();
    pass(seconds{11});
    EXPECT_EQ(items(0), 1);
    EXPECT_EQ(items(2), 1);
    for (int count = 0; count < 3; ++count) {
        append_to_all();
        pass(seconds{2});
    }
    EXPECT_EQ(items(0), 4);
    EXPECT_EQ(items(1), 0);
    EXPECT_EQ(items(2), 4);
    EXPECT_EQ(log.tries, 1) << "it was tried while the others might go on";
    pass(seconds{300});
    EXPECT_LE(log.tries, 8) << "it takes more than a fifth of the time";
    EXPECT_EQ(lines.with("cannot be read, others go on: no broker answers").size(), 1U);
    log.fails.clear();
    pass(seconds{60});
    EXPECT_EQ(items(1), 4);
    EXPECT_EQ(lines.with("is read again").size(), 1U);
}

TEST_F(APartitionThatIsNotGiven, IsToldByCatchUpWhenTheOthersAreThere) {
    log.fails = {Partition{0}};
    log.takes = Duration{0};
    Projector<Carts> projector{log, options};
    append_to_all();
    EXPECT_THROW(projector.catch_up(), Unavailable);
    EXPECT_EQ(items(1) + items(2), 2);
    const ViewStatus status = projector.status()[0];
    EXPECT_EQ(status.state, ViewStatus::State::running);
    EXPECT_EQ(status.partitions[0].behind, 1);
    EXPECT_FALSE(status.partitions[0].age);
    EXPECT_EQ(status.partitions[1].behind, 0);
    EXPECT_EQ(status.partitions[1].age, Duration::zero());
    log.fails.clear();
    EXPECT_EQ(projector.catch_up().events, 1);
}

TEST_F(APartitionThatIsNotGiven, IsOneOfManyWhenTheLogIsAway) {
    log.fails = {Partition{0}, Partition{1}, Partition{2}};
    log.takes = seconds{1};
    Projector<Carts> projector{log, options};
    append_to_all();
    EXPECT_THROW(projector.catch_up(), Unavailable);
    EXPECT_EQ(log.tries, 2) << "the third told nothing new";
    const auto task = running(projector);
    pass(seconds{100});
    log.fails.clear();
    pass(seconds{30});
    EXPECT_EQ(items(0) + items(1) + items(2), 3);
}

TEST_F(APartitionThatIsNotGiven, ThoughItsHeadIsShownLetsTheOthersGoOn) {
    const LogLines lines;
    log.silent = {Partition{2}};
    Projector<Carts> projector{log, options};
    const auto task = running(projector);
    for (int count = 1; count < 5; ++count) {
        append_to_all();
        pass(seconds{1});
        EXPECT_EQ(items(0), count);
        EXPECT_EQ(items(1), count);
    }
    EXPECT_TRUE(lines.with("see whether what feeds it runs").empty());
    pass(options.patience * 3);
    EXPECT_EQ(lines.with("gives nothing behind 0, though its head is 4").size(), 1U);
    EXPECT_TRUE(lines.with("tries again").empty());
    log.silent.clear();
    pass(seconds{2});
    EXPECT_EQ(items(2), 4);
}

/// What a scrape of a service shows.
TEST_F(APartitionThatIsNotGiven, IsMeasured) {
    const auto gauge = [&](const char* name) {
        return time.metrics().gauge(name, "", {{"view", "carts"}}).value();
    };
    Projector<Carts> projector{log, options};
    append_to_all();
    world.append(stream(0), removed("poison"));
    projector.catch_up();
    EXPECT_EQ(gauge("recount_projection_behind_events"), 0);
    EXPECT_EQ(gauge("recount_projection_parked_events"), 1);
    EXPECT_EQ(gauge("recount_projection_stopped"), 0);
    log.silent = {Partition{2}};
    append_to_all();
    append_to(2);
    EXPECT_THROW(projector.catch_up(), Unavailable);
    EXPECT_EQ(gauge("recount_projection_parked_events"), 2) << "that of its stream waits behind it";
    log.before_heads = [] { throw Unavailable("its relay is silent; start it"); };
    EXPECT_THROW(projector.catch_up(), Unavailable);
    EXPECT_TRUE(std::isnan(gauge("recount_projection_behind_events")));
    EXPECT_TRUE(std::isnan(gauge("recount_projection_lag_seconds")));
    EXPECT_NE(time.metrics().prometheus().find("behind_events{view=\"carts\"} NaN"),
              std::string::npos);
    log.before_heads = nullptr;
    {
        const auto task = running(projector);
        pass(seconds{1});
        EXPECT_EQ(gauge("recount_projection_behind_events"), 2);
        EXPECT_TRUE(std::isnan(gauge("recount_projection_lag_seconds"))) << "it is not given";
    }
    log.silent.clear();
    append_to_all();
    log.before_read = [] { throw Divergence("it holds another history"); };
    EXPECT_THROW(projector.catch_up(), Divergence);
    EXPECT_EQ(gauge("recount_projection_stopped"), 1);
    log.before_read = nullptr;
    projector.catch_up();
    EXPECT_EQ(gauge("recount_projection_stopped"), 0);
    EXPECT_EQ(gauge("recount_projection_behind_events"), 0);
}

}  // namespace
}  // namespace recount::test::projections
