#include <recount/core/utf8.hpp>

#include <gtest/gtest.h>

namespace {

using namespace recount;

TEST(TextOfAnyOrigin, IsRecordedAsItIsWhenItIsFit) {
    EXPECT_EQ(recordable("größe-€-😀\n", 100), "größe-€-😀\n");
    EXPECT_EQ(recordable("größe", 7), "größe");
    EXPECT_EQ(recordable("", 100), "");
}

TEST(TextOfAnyOrigin, IsCutBetweenTwoCharacters) {
    const std::string_view text = "a€";  // 1 byte, then 3
    EXPECT_EQ(recordable(text, 4), text);
    for (const std::size_t most : {1U, 2U, 3U}) EXPECT_EQ(recordable(text, most), "a");
    EXPECT_EQ(recordable(text, 0), "");
}

TEST(TextOfAnyOrigin, IsRecordedWithAMarkForEachByteThatIsNoUtf8) {
    EXPECT_EQ(recordable("caf\xe9 \xff\xe2\x82", 100), "caf? ???");
    EXPECT_EQ(recordable("\xff\xff\xff", 2), "??");
    EXPECT_TRUE(valid_utf8(recordable("\xed\xa0\x80\xc0\xaf\xf5", 100)));
}

}  // namespace
