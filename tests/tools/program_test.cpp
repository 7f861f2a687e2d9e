#include <recount/eventstore.hpp>
#include <recount/tools.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "printed.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(TheProgram, SaysWhatCannotBePrintedAsJson) {
    const test::TemporaryFolder folder;
    const std::string url = "sqlite:" + folder.file("caf\xe9.db");
    open_store(url).reset();
    EXPECT_EQ(test::run({"store", "status", "--store", url}).code, 0);
    const auto printed = test::run({"store", "status", "--store", url, "--json"});
    EXPECT_EQ(printed.code, 3);
    EXPECT_THAT(printed.err, testing::HasSubstr("UTF-8"));
}

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
