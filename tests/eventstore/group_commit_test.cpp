#include "group_commit.hpp"

#include <recount/core/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/eventually.hpp"

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

std::vector<Append> appends_of(const std::vector<std::string>& ids, std::size_t bytes = 0) {
    std::vector<Append> appends;
    for (const std::string& id : ids) {
        Append& append = appends.emplace_back();
        append.metadata.command_id = id;
        append.writes.push_back({StreamName::parse("cart-1"),
                                 Expected::any(),
                                 {NewEvent{"t.E", std::string(bytes, 'x'), "plain"}}});
    }
    return appends;
}

/// A commit that waits at a gate, so that a test says who queues meanwhile.
class CommitsBehindAGate : public testing::Test {
protected:
    std::unique_ptr<GroupCommit> make(GroupLimits limits = {}) {
        return std::make_unique<GroupCommit>(
            Environment::system(), "store", [this](AppendGroup group) { return commit(group); },
            limits);
    }

    std::vector<AppendResult> commit(AppendGroup group) {
        EXPECT_EQ(++inside_, 1) << "two commits at a time";
        std::vector<std::string> ids;
        std::vector<AppendResult> results;
        for (const Append* append : group) {
            ids.push_back(append->metadata.command_id);
            results.push_back({AppendResult::Kind::reused, {}, {}, ids.back()});
        }
        groups_.push_back(ids);
        ++entered_;
        EXPECT_TRUE(eventually([this] { return open_ >= entered_; }));
        --inside_;
        if (std::find(ids.begin(), ids.end(), fails_) != ids.end()) throw Error("poison");
        if (unavailable_) throw Unavailable("away");
        return results;
    }

    /// Starts a caller; returns once it commits or queues behind those before it.
    std::jthread caller(GroupCommit& group, std::vector<std::string> ids, std::size_t bytes = 0) {
        return std::jthread{[this, &group, bytes, ids = std::move(ids)] {
            const auto appends = appends_of(ids, bytes);
            try {
                for (const AppendResult& result : group.append(appends)) told(result.message);
            } catch (const Error& error) {
                told(ids.front() + ": " + error.what());
            }
        }};
    }

    void told(std::string what) {
        const std::lock_guard lock{mutex_};
        told_.push_back(std::move(what));
    }

    std::atomic<int> inside_ = 0, entered_ = 0, open_ = 1'000'000;
    std::string fails_ = "-";
    bool unavailable_ = false;
    std::vector<std::vector<std::string>> groups_;
    std::mutex mutex_;
    std::vector<std::string> told_;
};

TEST_F(CommitsBehindAGate, ACallerAloneCommitsAtOnce) {
    const auto group = make();
    const auto appends = appends_of({"a", "b"});
    const auto results = group->append(appends);
    ASSERT_THAT(results, SizeIs(2));
    EXPECT_EQ(results[0].message, "a");
    EXPECT_EQ(results[1].message, "b");
    EXPECT_THAT(groups_, ElementsAre(ElementsAre("a", "b")));
}

TEST_F(CommitsBehindAGate, ThoseWhoCameMeanwhileShareTheNext) {
    const auto group = make();
    open_ = 0;
    {
        const auto first = caller(*group, {"a"});
        ASSERT_TRUE(eventually([&] { return entered_ == 1; }));
        const auto second = caller(*group, {"b1", "b2"});
        ASSERT_TRUE(eventually([&] { return group->waiting() == 2; }));
        const auto third = caller(*group, {"c"});
        ASSERT_TRUE(eventually([&] { return group->waiting() == 3; }));
        open_ = 1'000'000;
    }
    EXPECT_THAT(groups_, ElementsAre(ElementsAre("a"), ElementsAre("b1", "b2", "c")));
    EXPECT_THAT(told_, testing::UnorderedElementsAre("a", "b1", "b2", "c"));
}

TEST_F(CommitsBehindAGate, AGroupIsNoLargerThanAllowed) {
    const auto group = make({.group_appends = 3, .group_bytes = 100});
    open_ = 0;
    {
        const auto first = caller(*group, {"a"});
        ASSERT_TRUE(eventually([&] { return entered_ == 1; }));
        std::vector<std::jthread> others;
        std::size_t waiting = 0;
        for (const auto& [ids, bytes] :
             std::vector<std::pair<std::vector<std::string>, std::size_t>>{
                 {{"b", "c"}, 0}, {{"d", "e"}, 10}, {{"f"}, 90}, {{"g", "h", "i", "j"}, 0}}) {
            others.push_back(caller(*group, ids, bytes));
            waiting += ids.size();
            ASSERT_TRUE(eventually([&] { return group->waiting() == waiting; }));
        }
        open_ = 1'000'000;
    }
    EXPECT_THAT(groups_, ElementsAre(ElementsAre("a"), ElementsAre("b", "c"), ElementsAre("d", "e"),
                                     ElementsAre("f"), ElementsAre("g", "h", "i", "j")));
}

TEST_F(CommitsBehindAGate, TooManyAreTurnedAway) {
    const auto group = make({.waiting_appends = 2, .waiting_bytes = 100});
    open_ = 0;
    {
        const auto first = caller(*group, {"a"});
        ASSERT_TRUE(eventually([&] { return entered_ == 1; }));
        const auto second = caller(*group, {"b"}, 60);
        ASSERT_TRUE(eventually([&] { return group->waiting() == 1; }));
        const auto two = appends_of({"x", "y"});
        EXPECT_THROW(group->append(two), Overloaded);
        const auto large = appends_of({"x"}, 41);
        EXPECT_THROW(group->append(large), Overloaded);
        auto headed = appends_of({"x"});
        headed.front().metadata.headers["name"] = std::string(37, 'x');
        EXPECT_THROW(group->append(headed), Overloaded);
        const auto third = caller(*group, {"c"}, 40);
        ASSERT_TRUE(eventually([&] { return group->waiting() == 2; }));
        open_ = 1'000'000;
    }
    EXPECT_THAT(groups_, ElementsAre(ElementsAre("a"), ElementsAre("b", "c")));
}

TEST_F(CommitsBehindAGate, OneThatFailsForGoodFailsAlone) {
    const auto group = make();
    open_ = 0;
    fails_ = "c";
    {
        const auto first = caller(*group, {"a"});
        ASSERT_TRUE(eventually([&] { return entered_ == 1; }));
        std::vector<std::jthread> others;
        for (const char* id : {"b", "c", "d"}) {
            others.push_back(caller(*group, {id}));
            ASSERT_TRUE(eventually([&] { return group->waiting() == others.size(); }));
        }
        open_ = 1'000'000;
    }
    EXPECT_THAT(told_, testing::UnorderedElementsAre("a", "b", "c: poison", "d"));
}

TEST_F(CommitsBehindAGate, AnAbsentDatabaseIsToldToAllAtOnce) {
    const auto group = make();
    open_ = 0;
    {
        const auto first = caller(*group, {"a"});
        ASSERT_TRUE(eventually([&] { return entered_ == 1; }));
        const auto second = caller(*group, {"b"});
        ASSERT_TRUE(eventually([&] { return group->waiting() == 1; }));
        const auto third = caller(*group, {"c"});
        ASSERT_TRUE(eventually([&] { return group->waiting() == 2; }));
        unavailable_ = true;
        open_ = 1'000'000;
    }
    EXPECT_THAT(told_, testing::UnorderedElementsAre("a: away", "b: away", "c: away"));
    EXPECT_THAT(groups_, SizeIs(2));
    unavailable_ = false;
    const auto later = appends_of({"d"});
    EXPECT_THAT(group->append(later), SizeIs(1));
}

}  // namespace
}  // namespace recount::test
