#include <recount/eventstore.hpp>
#include <recount/tools.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(AProgramWhoseOutputCannotBeWritten, Fails) {
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + folder.file("store.db");
    static_cast<void>(
        open_store(url)->close_stream(StreamName::parse("cart-1"), {}, "settled", Expected::any()));
    const std::string errors = folder.file("errors");
    const auto show = [&](const std::string& into) {
        const std::string command = "'" RECOUNT_PROGRAM "' stream show cart-1 --json --store '" +
                                    url + "' > " + into + " 2> '" + errors + "'";
        return WEXITSTATUS(std::system(command.c_str()));
    };
    const auto complaint = [&] {
        std::ostringstream text;
        text << std::ifstream{errors}.rdbuf();
        return text.str();
    };
    EXPECT_EQ(show("/dev/null"), tools::ok);
    EXPECT_THAT(complaint(), IsEmpty());
    EXPECT_EQ(show("/dev/full"), tools::unavailable);
    EXPECT_THAT(complaint(), HasSubstr("standard output"));
}

}  // namespace
}  // namespace recount::test
