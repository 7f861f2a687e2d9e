#include <recount/core/error.hpp>
#include <recount/core/values.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace {

using namespace recount;

TEST(Timestamps, AreWrittenToTheMicrosecond) {
    const Timestamp when{std::chrono::microseconds{1291191960000007}};
    EXPECT_EQ(to_string(when), "2010-12-01T08:26:00.000007Z");
    EXPECT_EQ(date_of(when), "2010-12-01");
    EXPECT_EQ(month_of(when), "2010-12");
    EXPECT_EQ(parse_timestamp("2010-12-01T08:26:00.000007Z"), when);
}

TEST(Timestamps, BeforeTheEpochAreRight) {
    const Timestamp when{std::chrono::microseconds{-1}};
    EXPECT_EQ(to_string(when), "1969-12-31T23:59:59.999999Z");
    EXPECT_EQ(date_of(when), "1969-12-31");
}

TEST(Timestamps, MayLeaveOutTheEndOfTheFraction) {
    EXPECT_EQ(to_string(parse_timestamp("2010-12-01T08:26:00Z")), "2010-12-01T08:26:00.000000Z");
    EXPECT_EQ(to_string(parse_timestamp("2010-12-01T08:26:00.5Z")), "2010-12-01T08:26:00.500000Z");
}

TEST(Timestamps, OfAnotherFormAreRefused) {
    for (const char* text :
         {"", "2010-12-01", "2010-12-01 08:26:00Z", "2010-12-01T08:26:00", "2010-02-30T08:26:00Z",
          "2010-13-01T08:26:00Z", "2010-12-01T24:00:00Z", "2010-12-01T08:60:00Z",
          "2010-12-01T08:26:60Z", "2010-12-01T08:26:00.Z", "2010-12-01T08:26:00.1234567Z",
          "2010-12-01T08:26:00Zx", "2010-12-01T08:26:00+01:00", "-010-12-01T08:26:00Z"}) {
        EXPECT_THROW(parse_timestamp(text), InvalidArgument) << text;
    }
}

TEST(Timestamps, ComeBackAsTheyWent) {
    EXPECT_TRUE(rc::check([] {
        const auto micros = *rc::gen::inRange<std::int64_t>(0, 253402300800000000);  // year 9999
        const Timestamp when{std::chrono::microseconds{micros}};
        RC_ASSERT(parse_timestamp(to_string(when)) == when);
    }));
}

TEST(Positions, OnlyRise) {
    Positions positions{2};
    positions.raise({Partition{1}, 5});
    positions.raise({Partition{1}, 3});
    EXPECT_EQ(positions[Partition{1}], 5);
    positions.set({Partition{1}, 3});
    EXPECT_EQ(positions[Partition{1}], 3);
    EXPECT_EQ(positions.sum(), 3);
}

TEST(Positions, AreZeroWhereNothingIsSaid) {
    Positions wide{3};
    EXPECT_TRUE(wide.empty());
    EXPECT_EQ(wide, Positions{});
    EXPECT_EQ(Positions{}[Partition{7}], 0);
    wide.raise({Partition{2}, 1});
    EXPECT_FALSE(wide.empty());
    EXPECT_NE(wide, Positions{1});
    EXPECT_FALSE(Positions{1}.cover(wide));
    EXPECT_TRUE(wide.cover(Positions{1}));
    EXPECT_TRUE(wide.cover(Position{Partition{2}, 1}));
    EXPECT_FALSE(wide.cover(Position{Partition{2}, 2}));
    EXPECT_FALSE(wide.cover(Position{Partition{9}, 1}));
}

TEST(Positions, TakeTheHigherOfBoth) {
    Positions left{1}, right{2};
    left.raise({Partition{0}, 4});
    right.raise({Partition{0}, 2});
    right.raise({Partition{1}, 9});
    left.raise(right);
    EXPECT_EQ(left.values(), (std::vector<std::int64_t>{4, 9}));
}

TEST(Positions, OfAnImpossiblePartitionAreRefused) {
    Positions positions{1};
    EXPECT_THROW(positions.set({Partition{-1}, 1}), InvalidArgument);
    EXPECT_THROW(positions.raise({Partition{1 << 30}, 1}), InvalidArgument);
}

TEST(Uuids, AreReadAsTheyAreWritten) {
    const std::string text = "0189d3a4-2c7e-7b11-9a3b-0123456789ab";
    const auto uuid = parse_uuid(text);
    ASSERT_TRUE(uuid);
    EXPECT_EQ(to_string(*uuid), text);
    EXPECT_EQ(parse_uuid("0189D3A4-2C7E-7B11-9A3B-0123456789AB"), uuid);
    EXPECT_EQ(Uuid::from(uuid->view()), *uuid);
}

TEST(Uuids, OfAnotherFormAreNone) {
    for (const char* text :
         {"", "0189d3a42c7e7b119a3b0123456789ab", "0189d3a4-2c7e-7b11-9a3b",
          "0189d3a4-2c7e-7b11-9a3b-0123456789ag", "0189d3a4+2c7e-7b11-9a3b-0123456789ab",
          "0189d3a4-2c7e-7b11-9a3b-0123456789ab "}) {
        EXPECT_FALSE(parse_uuid(text)) << text;
    }
    EXPECT_THROW(Uuid::from("short"), InvalidArgument);
    EXPECT_THROW(Hash::from(std::string(31, 'x')), InvalidArgument);
}

TEST(Positions, AreWrittenAsPartitionAndNumber) {
    EXPECT_EQ(to_string(Position{Partition{3}, 1042}), "3:1042");
}

}  // namespace
