#include <recount/core/ids.hpp>

#include <filesystem>
#include <iostream>
#include <ostream>

#include "eventstore/sqlite_faults/faulty_sqlite_disk.hpp"
#include "eventstore/sqlite_faults/script.hpp"
#include "support/moved_clock.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

struct Kind {
    std::string name;
    FaultyDisk::Fault fault;
};

std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

/// A store whose disk fails once, or from then on, at its first operation, at its second, and so
/// on, until the work of a day gets by without a fault.
class ADiskThatFailsAtItsNthOperation : public testing::TestWithParam<Kind> {
protected:
    ADiskThatFailsAtItsNthOperation() {
        History history;
        const auto store = open_store("sqlite:" + template_, two_partitions);
        work(*store, history, "before");
        store->maintain({.keep_outcomes = std::chrono::hours{1}});
        clock_.move(-std::chrono::hours{2});
    }

    /// However it is hit: a command that is too old never happens.
    void expect_expired(EventStore& store) {
        survives([&] {
            const std::string id = to_string(new_uuid7(clock_.environment()));
            const std::vector<Append> old{make_append(id, {write("cart-1")})};
            EXPECT_EQ(store.append(old).front().kind, AppendResult::Kind::expired);
        });
    }

    /// False when no fault struck.
    bool day_with_fault_at(int n) {
        const TemporaryFolder folder;
        const std::string url = "sqlite:" + folder.file("store.db");
        std::filesystem::copy_file(template_, folder.file("store.db"));
        History history;
        disk_.fail_at(n, GetParam().fault);
        if (auto store = open_or_not(url)) {
            work(*store, history, "first");
            expect_expired(*store);
        }
        auto store = open_or_not(url);
        if (store) history.append(*store, {make_append("next day", {write("cart-1")})});
        disk_.heal();
        // A store that was opened works on by itself when the disk does.
        if (!store) store = open_store(url);
        failed_ += history.count(History::Told::failed);
        unknown_ += history.count(History::Told::unknown);
        history.expect_kept(*store);
        history.settle(*store);
        store.reset();
        EXPECT_EQ(integrity(url), "ok");
        history.expect_kept(*open_store(url));
        return disk_.struck();
    }

    FaultyDisk& disk_ = FaultyDisk::installed();
    TemporaryFolder folder_;
    std::string template_ = folder_.file("template.db");
    MovedClock clock_;
    std::size_t failed_ = 0, unknown_ = 0;
};

TEST_P(ADiskThatFailsAtItsNthOperation, LosesNothingThatWasAcknowledgedAndLeavesNothingHalf) {
    int n = 1;
    while (day_with_fault_at(n)) {
        ASSERT_FALSE(HasFailure()) << "operation " << n;
        ++n;
    }
    std::cout << n - 1 << " faults; " << failed_ << " appends failed, " << unknown_
              << " were left unknown, all made certain afterwards\n";
    EXPECT_GT(n, 100);
    EXPECT_GT(failed_ + unknown_, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, ADiskThatFailsAtItsNthOperation,
    testing::Values(Kind{"Once", {}}, Kind{"OnceAfterItsEffect", {.after_effect = true}},
                    Kind{"ForGood", {.for_good = true}}, Kind{"OnceFull", {.full = true}},
                    Kind{"FullForGood", {.full = true, .for_good = true}}),
    [](const testing::TestParamInfo<Kind>& tested) { return tested.param.name; });

}  // namespace
}  // namespace recount::test
