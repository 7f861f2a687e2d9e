#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>
#include <recount/core/ids.hpp>
#include <recount/testing/manual_environment.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

namespace {

using namespace recount;
using recount::test::ManualEnvironment;

TEST(NewIds, CarryTheTimeOfTheirBirth) {
    ManualEnvironment world{1, parse_timestamp("2010-12-01T08:26:00.123456Z")};
    const Uuid id = new_uuid7(world.environment());
    EXPECT_EQ(to_string(id).substr(14, 1), "7");
    EXPECT_EQ(born_at(id), parse_timestamp("2010-12-01T08:26:00.123Z"));
}

TEST(NewIds, GrowWithinOneMillisecondAndWhenTheClockRunsBack) {
    ManualEnvironment world;
    std::vector<Uuid> ids;
    for (int i = 0; i < 10'000; ++i) {  // more than the 4096 numbers of a millisecond
        if (i == 5000) world.set_now(world.now() - std::chrono::hours{1});
        ids.push_back(new_uuid7(world.environment()));
    }
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
    EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
}

TEST(NewIds, AreTheSameInTheSameWorld) {
    ManualEnvironment first{7}, second{7}, third{8};
    EXPECT_EQ(new_uuid7(first.environment()), new_uuid7(second.environment()));
    EXPECT_NE(new_uuid7(first.environment()), new_uuid7(third.environment()));
}

TEST(NewIds, AreNeverMadeTwiceByManyThreads) {
    std::vector<std::vector<Uuid>> made(4);
    {
        std::vector<std::jthread> threads;
        for (auto& ids : made) {
            threads.emplace_back([&ids] {
                for (int i = 0; i < 5000; ++i) ids.push_back(new_uuid7());
            });
        }
    }
    std::set<Uuid> all;
    for (const auto& ids : made) {
        EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
        all.insert(ids.begin(), ids.end());
    }
    EXPECT_EQ(all.size(), 20'000U);
}

TEST(OtherIds, HaveNoTimeOfBirth) {
    EXPECT_FALSE(born_at(Uuid{}));
    EXPECT_FALSE(born_at(derived_uuid("tag", "name")));
    EXPECT_FALSE(born_at(*parse_uuid("919108f7-52d1-4320-9bac-f847db4148a8")));
    // RFC 9562, appendix A.6
    EXPECT_EQ(born_at(*parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")),
              parse_timestamp("2022-02-22T19:22:22Z"));
}

TEST(DerivedIds, AreTheSameForEver) {
    const Uuid id = derived_uuid("tag", "name");
    std::string expected{sha256(std::string{"tag\0name", 8}).view().substr(0, 16)};
    expected[6] = static_cast<char>((expected[6] & 0x0f) | 0x80);
    expected[8] = static_cast<char>((expected[8] & 0x3f) | 0x80);
    EXPECT_EQ(id.view(), expected);
    EXPECT_NE(derived_uuid("tagn", "ame"), id);
}

TEST(EventIds, FollowFromCommandAndIndex) {
    EXPECT_EQ(event_id("command", 3), event_id("command", 3));
    EXPECT_EQ(to_string(event_id("command", 0)), "c3a81773-b33d-85d2-8fb8-4c85eebcfd15")
        << "stored ids must never change";
    const std::set<Uuid> different{event_id("command", 0), event_id("command", 1),
                                   event_id("command", 11), event_id("command/1", 1),
                                   event_id("other", 0)};
    EXPECT_EQ(different.size(), 5U);
}

TEST(CommandIds, AreShortPrintableText) {
    EXPECT_NO_THROW(check_command_id("order-17/ä"));
    EXPECT_NO_THROW(check_command_id(std::string(255, 'x')));
    for (const std::string& id : {std::string{}, std::string(256, 'x'), std::string{"a\0b", 3},
                                  std::string{"a\nb"}, std::string{"\xff"}}) {
        EXPECT_THROW(check_command_id(id), InvalidArgument);
    }
}

}  // namespace
