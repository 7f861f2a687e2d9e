#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "group_commit.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using testing::UnorderedElementsAre;

constexpr std::int32_t partitions = 16;

StreamName stream_in(std::int32_t partition) {
    for (int i = 0;; ++i) {
        const auto stream = StreamName::parse("cart-" + std::to_string(i));
        if (partition_of(stream, partitions).value == partition) return stream;
    }
}

/// Two groups may be on their way; each stays there until the test lets it go.
class TwoGroupsAtATime : public testing::Test {
protected:
    explicit TwoGroupsAtATime(GroupLimits limits = {.groups = 2})
        : groups_{Environment::system(), "store",
                  [this](AppendGroup group) { return commit(group); }, in_time(limits)} {}
    ~TwoGroupsAtATime() override {
        let_go_ = true;
        callers_.clear();
    }

    std::vector<AppendResult> commit(AppendGroup group) {
        std::vector<AppendResult> results;
        for (const Append* append : group) {
            results.push_back({});
            const std::lock_guard lock{mutex_};
            on_their_way_.insert(append->metadata.command_id);
        }
        const std::string first = group.front()->metadata.command_id;
        EXPECT_TRUE(eventually([&] {
            const std::lock_guard lock{mutex_};
            return let_go_ || gone_.contains(first);
        }));
        const std::lock_guard lock{mutex_};
        for (const Append* append : group) on_their_way_.erase(append->metadata.command_id);
        return results;
    }

    /// One append to a stream in each of the partitions; returns when it queues or is on its way.
    void come(const std::string& id, const std::vector<std::int32_t>& to) {
        const std::size_t before = seen();
        callers_.emplace_back([this, id, to] {
            Append append;
            append.metadata.command_id = id;
            for (const std::int32_t partition : to) {
                append.writes.push_back({stream_in(partition), Expected::any(), {{"t.E", "x"}}});
            }
            groups_.append({&append, 1});
        });
        ASSERT_TRUE(eventually([&] { return seen() > before; }));
    }

    void go(const std::string& id) {
        const std::lock_guard lock{mutex_};
        gone_.insert(id);
    }

    std::set<std::string> on_their_way() {
        const std::lock_guard lock{mutex_};
        return on_their_way_;
    }

    std::size_t seen() { return on_their_way().size() + groups_.waiting(); }

    static GroupLimits in_time(GroupLimits limits) {
        limits.partitions = partitions;
        limits.patience = Duration::zero();
        return limits;
    }

    std::mutex mutex_;
    std::set<std::string> on_their_way_, gone_;
    std::atomic<bool> let_go_ = false;
    GroupCommit groups_;
    std::vector<std::jthread> callers_;
};

TEST_F(TwoGroupsAtATime, GoTogetherWhenTheyShareNoPartition) {
    come("a", {0});
    come("b", {1});
    EXPECT_THAT(on_their_way(), UnorderedElementsAre("a", "b"));
    come("c", {2});
    EXPECT_EQ(groups_.waiting(), 1) << "there may be two";
}

TEST_F(TwoGroupsAtATime, WaitForAPartitionThatIsTaken) {
    come("a", {0, 1});
    come("b", {1, 2});
    EXPECT_THAT(on_their_way(), UnorderedElementsAre("a"));
    go("a");
    EXPECT_TRUE(eventually([&] { return on_their_way() == std::set<std::string>{"b"}; }));
}

TEST_F(TwoGroupsAtATime, OvertakeNobodyInAPartition) {
    come("a", {0});
    come("b", {0, 1});
    come("c", {1});
    EXPECT_THAT(on_their_way(), UnorderedElementsAre("a")) << "partition 1 is b's, who came first";
    come("d", {2});
    EXPECT_THAT(on_their_way(), UnorderedElementsAre("a", "d"));
    go("d");
    ASSERT_TRUE(eventually([&] { return on_their_way() == std::set<std::string>{"a"}; }));
    EXPECT_EQ(groups_.waiting(), 2);
    go("a");
    EXPECT_TRUE(eventually([&] { return on_their_way() == std::set<std::string>{"b", "c"}; }));
}

TEST_F(TwoGroupsAtATime, TakeAlongWhoeverIsInNobodysWay) {
    come("a", {0});
    come("b", {1});
    come("c", {0});
    come("d", {3});
    come("e", {4});
    go("b");
    EXPECT_TRUE(eventually([&] { return on_their_way() == std::set<std::string>{"a", "d", "e"}; }));
    go("a");
    EXPECT_TRUE(eventually([&] { return on_their_way() == std::set<std::string>{"c", "d", "e"}; }));
    go("c");
    go("d");
    EXPECT_TRUE(eventually([&] { return on_their_way().empty(); }));
    EXPECT_EQ(groups_.waiting(), 0);
}

class SmallGroups : public TwoGroupsAtATime {
protected:
    SmallGroups() : TwoGroupsAtATime({.group_appends = 2, .groups = 2}) {}
};

TEST_F(SmallGroups, LeaveNobodyAsleepWhoIsInNobodysWayAnyMore) {
    come("a", {0, 1});
    come("b", {0});
    come("c", {0});
    come("d", {1});
    go("a");
    EXPECT_TRUE(eventually([&] { return on_their_way() == std::set<std::string>{"b", "c", "d"}; }));
}

}  // namespace
}  // namespace recount::test
