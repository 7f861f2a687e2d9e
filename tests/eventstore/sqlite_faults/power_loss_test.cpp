#include <array>
#include <iostream>

#include "eventstore/sqlite_faults/faulty_sqlite_disk.hpp"
#include "eventstore/sqlite_faults/script.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

/// Different parts of what was not synced survive; a failure names the seed.
constexpr std::array<std::uint64_t, 2> seeds{1, 2};

/// The power goes off before the first operation that changes the disk, before the second, and so
/// on, until the work of two days is done.
class PowerThatFailsAtTheNthWrite : public testing::Test {
protected:
    /// False when the power did not go off.
    bool days_with_power_until(int n) {
        const TemporaryFolder folder;
        const std::string url = "sqlite:" + folder.file("store.db");
        History history;
        disk_.heal();
        disk_.follow_files();
        disk_.power_off_at(n);
        for (const char* day : {"first", "second"}) {
            if (auto store = open_or_not(url, durable_)) work(*store, history, day);
        }
        disk_.heal();
        DiskImage image = disk_.stop_following();
        for (const std::uint64_t seed : seeds) {
            SCOPED_TRACE("power off at write " + std::to_string(n) + ", seed " +
                         std::to_string(seed));
            const TemporaryFolder left;
            image.lose_power(left.path(), seed);
            expect_survival(history, "sqlite:" + left.file("store.db"));
        }
        acknowledged_ += history.count(History::Told::outcome);
        unknown_ += history.count(History::Told::unknown);
        return disk_.struck();
    }

    void expect_survival(History history, const std::string& url) {
        auto store = open_store(url, two_partitions);
        if (!durable_) {
            lost_ += history.expect_beginning(*store);
            store.reset();
            ASSERT_EQ(integrity(url), "ok");
            return;
        }
        history.expect_kept(*store);
        history.settle(*store);
        store.reset();
        ASSERT_EQ(integrity(url), "ok");
        history.expect_kept(*open_store(url));
    }

    FaultyDisk& disk_ = FaultyDisk::installed();
    bool durable_ = true;
    std::size_t acknowledged_ = 0, unknown_ = 0, lost_ = 0;
};

TEST_F(PowerThatFailsAtTheNthWrite, LosesNothingThatWasAcknowledgedAndLeavesNothingHalf) {
    int n = 1;
    while (days_with_power_until(n)) {
        ASSERT_FALSE(HasFailure()) << "write " << n;
        ++n;
    }
    std::cout << "the power failed at " << n - 1 << " writes, " << acknowledged_
              << " outcomes were kept, " << unknown_ << " made certain afterwards\n";
    EXPECT_GT(n, 100);
    EXPECT_GT(unknown_, 0U);
}

TEST_F(PowerThatFailsAtTheNthWrite, TakesTheEndOfAStoreThatIsNotDurableAndNothingElse) {
    durable_ = false;
    int n = 1;
    while (days_with_power_until(n)) {
        ASSERT_FALSE(HasFailure()) << "write " << n;
        ++n;
    }
    EXPECT_GT(n, 50);
    EXPECT_GT(lost_, 0U);
}

}  // namespace
}  // namespace recount::test
