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

TEST(TheProgram, PrintsWhatIsNotUtf8AsJsonWithItsBytesReplaced) {
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + folder.file("caf\xe9.db");
    open_store(url).reset();
    const Printed printed = run({"store", "status", "--store", url, "--json"});
    EXPECT_EQ(printed.code, tools::ok) << printed.err;
    EXPECT_THAT(printed.lines().front()["name"].get<std::string>(),
                HasSubstr("caf\xEF\xBF\xBD.db"));
}

TEST(TheProgram, NamesWhatIsNoCommand) {
    const Printed room = run({"view", "list"});
    EXPECT_EQ(room.code, tools::bad_usage);
    EXPECT_EQ(room.err, "recount has no command 'view'; it has: store stream log topic audit\n");
    const Printed command = run({"store", "--json", "chekc"});
    EXPECT_EQ(command.code, tools::bad_usage);
    EXPECT_THAT(command.err, HasSubstr("recount store has no command 'chekc'; it has: init "));
    EXPECT_EQ(run({"--help"}).code, tools::ok);
    EXPECT_EQ(run({}).code, tools::bad_usage);
}

TEST(TheProgram, SaysOfWhichVersionItIs) {
    const Printed printed = run({"--version"});
    EXPECT_EQ(printed.code, tools::ok);
    EXPECT_THAT(printed.out, testing::MatchesRegex("recount [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(TheProgram, NamesItsOptionForBrokersWhenThereAreNone) {
    const char* const set = std::getenv("KAFKA_BOOTSTRAP_SERVERS");
    const std::string before = set == nullptr ? "" : set;
    unsetenv("KAFKA_BOOTSTRAP_SERVERS");
    const Printed printed = run({"topic", "check", "shop", "--partitions", "4"});
    if (set != nullptr) setenv("KAFKA_BOOTSTRAP_SERVERS", before.c_str(), 1);
    EXPECT_EQ(printed.code, tools::bad_usage);
    EXPECT_THAT(printed.err, HasSubstr("no broker is named"));
    EXPECT_THAT(printed.err, HasSubstr("--kafka"));
}

TEST(ACheckOfAStore, TellsOneThatIsNotInOrderFromOneThatIsNotThere) {
    const TemporaryFolder folder;
    const std::string path = folder.file("store.db");
    EXPECT_EQ(run({"store", "check", "--store", "sqlite:" + path}).code, tools::bad_usage);
    std::ofstream{path} << "no database";
    EXPECT_EQ(run({"store", "check", "--store", "sqlite:" + path}).code, tools::problem);
    const Printed json = run({"store", "check", "--store", "sqlite:" + path, "--json"});
    EXPECT_EQ(json.code, tools::problem);
    EXPECT_EQ(json.lines().front()["ok"], false);
    EXPECT_THAT(json.lines().front()["problem"].get<std::string>(), HasSubstr(path));
    EXPECT_THAT(json.err, HasSubstr(path));
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
