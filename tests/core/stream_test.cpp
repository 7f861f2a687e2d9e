#include <recount/core/error.hpp>
#include <recount/core/stream.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

namespace {

using namespace recount;

TEST(StreamNames, HaveACategoryAndAnId) {
    const StreamName name{"cart", "17-b"};
    EXPECT_EQ(name.full(), "cart-17-b");
    EXPECT_EQ(name.category(), "cart");
    EXPECT_EQ(name.id(), "17-b");
    EXPECT_EQ(StreamName::parse("cart-17-b"), name);
    EXPECT_EQ(StreamName::trusted("cart-17-b"), name);
    EXPECT_EQ(StreamName("käse", "größe-€-😀").id(), "größe-€-😀");
}

TEST(ACategory, IsValidToTheCompilerWhenAStreamCanHaveIt) {
    static_assert(valid_category("cart") && !valid_category("a-b") && !valid_category(""));
    for (const std::string& category :
         {std::string{"käse"}, std::string(253, 'x'), std::string(254, 'x'), std::string{"a\0", 2},
          std::string{"\xff"}, std::string{"\xc2\x85"}, std::string{"-"}, std::string{"a b"}}) {
        bool accepted = true;
        try {
            static_cast<void>(StreamName{category, "1"});
        } catch (const InvalidArgument&) {
            accepted = false;
        }
        EXPECT_EQ(valid_category(category), accepted) << testing::PrintToString(category);
    }
}

TEST(StreamNames, HaveAtMost255Bytes) {
    EXPECT_NO_THROW(StreamName("cart", std::string(250, 'x')));
    EXPECT_THROW(StreamName("cart", std::string(251, 'x')), InvalidArgument);
    EXPECT_THROW(StreamName::parse(std::string(1 << 20, '-')), InvalidArgument);
}

TEST(HostileStreamNames, AreRefused) {
    const std::string hostile[] = {
        std::string{"a\0b", 3},
        "line\nbreak",
        "tab\there",
        "\x7f",
        "\xc2\x85",
        "\xff",
        "\xc0\xaf",
        "\xed\xa0\x80",
        "\xe2\x82",
        "\xf5\x80\x80\x80",
        "\xf0\x80\x80\xaf",
        "\x80",
        "\xe0\x9f\xbf",
        "\x1b[31m",
        "\xf4\x90\x80\x80",
    };
    for (const std::string& id : hostile) {
        EXPECT_THROW(StreamName("cart", id), InvalidArgument) << testing::PrintToString(id);
        EXPECT_THROW(StreamName(id, "1"), InvalidArgument) << testing::PrintToString(id);
        EXPECT_THROW(StreamName::parse("cart-" + id), InvalidArgument)
            << testing::PrintToString(id);
    }
    EXPECT_THROW(StreamName("", "1"), InvalidArgument);
    EXPECT_THROW(StreamName("cart", ""), InvalidArgument);
    EXPECT_THROW(StreamName("ca-rt", "1"), InvalidArgument);
    EXPECT_THROW(StreamName::parse("cart"), InvalidArgument);
    EXPECT_THROW(StreamName::parse("-1"), InvalidArgument);
    EXPECT_THROW(StreamName::parse("cart-"), InvalidArgument);
}

TEST(HostileStreamNames, AreQuotedHarmlesslyInTheMessage) {
    try {
        StreamName("cart", std::string{"x\n\x1b[31m\0'; drop table", 22});
        FAIL();
    } catch (const InvalidArgument& error) {
        const std::string message = error.what();
        EXPECT_NE(message.find("x??[31m?'; drop table"), std::string::npos) << message;
    }
}

TEST(StreamNames, AreEitherRefusedOrKeptByteByByte) {
    EXPECT_TRUE(rc::check([](const std::string& category, const std::string& id) {
        try {
            const StreamName name{category, id};
            RC_ASSERT(name.category() == category);
            RC_ASSERT(name.id() == id);
            RC_ASSERT(StreamName::parse(name.full()) == name);
        } catch (const InvalidArgument&) {
        }
    }));
}

/// murmur2 itself, seen through a count that only clears the sign bit.
std::int32_t murmur(std::string_view key) {
    return partition_of(key, std::numeric_limits<std::int32_t>::max()).value;
}
std::int32_t positive(std::int32_t java) {
    const std::int64_t cleared = std::int64_t{java} & 0x7fffffff;
    return static_cast<std::int32_t>(cleared % std::numeric_limits<std::int32_t>::max());
}

TEST(Partitions, AreThoseOfKafkasJavaClient) {
    // org.apache.kafka.common.utils.UtilsTest.testMurmur2
    EXPECT_EQ(murmur("21"), positive(-973932308));
    EXPECT_EQ(murmur("foobar"), positive(-790332482));
    EXPECT_EQ(murmur("a-little-bit-long-string"), positive(-985981536));
    EXPECT_EQ(murmur("a-little-bit-longer-string"), positive(-1486304829));
    EXPECT_EQ(murmur("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), positive(-58897971));
    EXPECT_EQ(murmur("abc"), positive(479470107));
}

TEST(Partitions, AreBelowTheCount) {
    EXPECT_EQ(partition_of("foobar", 16).value, (-790332482 & 0x7fffffff) % 16);
    EXPECT_EQ(partition_of(StreamName{"cart", "1"}, 1).value, 0);
    EXPECT_THROW(partition_of("foobar", 0), InvalidArgument);
    EXPECT_TRUE(rc::check([](const std::string& key) {
        const auto count = *rc::gen::inRange<std::int32_t>(1, 1000);
        const auto partition = partition_of(key, count).value;
        RC_ASSERT(partition >= 0 && partition < count);
    }));
}

}  // namespace
