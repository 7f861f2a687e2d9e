#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <recount/eventstore.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "replayed.hpp"
#include "shop_program.hpp"
#include "temporary_file.hpp"

namespace shop {
namespace {

using namespace std::chrono_literals;
using test::ShopProgram;
using test::TemporaryFolder;
using testing::HasSubstr;

std::int64_t events_in(recount::EventStore& store) {
    std::int64_t events = 0;
    for (const auto& head : store.heads()) events += head.n;
    return events;
}

/// A store in a folder of its own, and the program that works on it.
class ReplayedShop : public testing::Test {
protected:
    int run(const std::vector<std::string>& arguments) {
        ShopProgram program{arguments, folder / ""};
        const int code = program.wait();
        out = program.out();
        error = program.error();
        return code;
    }
    int replay(const std::filesystem::path& data) {
        return run({"replay", "--store", url, "--data", data});
    }
    std::unique_ptr<recount::EventStore> open() {
        return recount::open_store(url, {.create = false, .read_only = true});
    }
    /// 0 as long as there is no store.
    std::int64_t events() {
        try {
            return events_in(*open());
        } catch (const recount::Error&) {
            return 0;
        }
    }
    std::filesystem::path first_rows(std::int64_t rows) {
        return test::first_rows(folder / "rows.csv", rows);
    }
    void expect_totals(const FileTotals& expected) {
        const auto store = open();
        ShopViews views{*store};
        test::expect_totals(views, expected);
    }

    TemporaryFolder folder;
    std::string url = "sqlite:" + (folder / "shop.db").string();
    std::string out, error;
};

TEST_F(ReplayedShop, GivesTheTotalsOfItsFile) {
    const auto data = first_rows(1500);
    ASSERT_EQ(replay(data), 0) << error;
    expect_totals(validate(data));
    EXPECT_THAT(error, HasSubstr("caught up"));
}

TEST_F(ReplayedShop, AppendsNothingTheSecondTime) {
    const auto data = first_rows(300);
    ASSERT_EQ(replay(data), 0) << error;
    const std::int64_t before = events();
    ASSERT_EQ(replay(data), 0) << error;
    EXPECT_EQ(events(), before);
}

TEST_F(ReplayedShop, GoesOnBehindAnEarlierPart) {
    ASSERT_EQ(replay(first_rows(300)), 0) << error;
    const auto more = first_rows(600);
    ASSERT_EQ(replay(more), 0) << error;
    expect_totals(validate(more));
}

TEST_F(ReplayedShop, ComesToTheSameEndWhereverItWasKilled) {
    const auto data = first_rows(600);
    ASSERT_EQ(replay(data), 0) << error;
    const std::int64_t whole = events();
    recount::Environment& environment = recount::Environment::system();
    for (int moment = 1; moment <= 10; ++moment) {
        url = "sqlite:" + (folder / ("killed-" + std::to_string(moment) + ".db")).string();
        const std::int64_t target = whole * moment / 11;
        ShopProgram program{{"replay", "--store", url, "--data", data}, folder / ""};
        while (!program.ended() && events() < target) environment.scheduler.sleep(1ms);
        program.signal(SIGKILL);
        program.wait();
        ASSERT_EQ(replay(data), 0) << error;
        SCOPED_TRACE("killed at " + std::to_string(target) + " of " + std::to_string(whole));
        expect_totals(validate(data));
    }
}

TEST_F(ReplayedShop, EndsCleanlyWhenAsked) {
    const auto data = first_rows(1500);
    ShopProgram program{{"replay", "--store", url, "--data", data}, folder / ""};
    while (!program.ended() && events() == 0) {
        recount::Environment::system().scheduler.sleep(1ms);
    }
    program.signal(SIGINT);
    EXPECT_EQ(program.wait(), 130);
    EXPECT_THAT(program.error(), HasSubstr("stopped; start it again"));
    ASSERT_EQ(replay(data), 0) << error;
    expect_totals(validate(data));
}

TEST_F(ReplayedShop, PrintsItsViews) {
    ASSERT_EQ(replay(first_rows(100)), 0) << error;
    ASSERT_EQ(run({"report", "sales_by_country", "--store", url, "--json"}), 0) << error;
    EXPECT_EQ(out.substr(0, out.find('\n')), "{\"country\":\"France\",\"mills\":855860}");
    ASSERT_EQ(run({"report", "sales_by_country", "--store", url}), 0) << error;
    EXPECT_THAT(out, HasSubstr("France"));
    ASSERT_EQ(run({"views", "--store", url}), 0) << error;
    EXPECT_THAT(out, HasSubstr("stock_level version 1 (current)"));
    ASSERT_EQ(run({"totals", "--store", url}), 0) << error;
    EXPECT_THAT(out, HasSubstr("sales by month, pounds"));
    EXPECT_EQ(run({"report", "nothing", "--store", url}), 2);
    EXPECT_THAT(error, HasSubstr("stock_level"));

    const std::string into_a_full_disk = "'" SHOP_PROGRAM
                                         "' report sales_by_country --json --store '" +
                                         url + "' > /dev/full 2> /dev/null";
    EXPECT_EQ(WEXITSTATUS(std::system(into_a_full_disk.c_str())), 1);
}

TEST_F(ReplayedShop, IsNotBegunByAFileThatIsWrong) {
    test::write_file(folder / "bad.csv", "InvoiceNo,StockCode\n");
    EXPECT_EQ(replay(folder / "bad.csv"), 2);
    EXPECT_THAT(error, HasSubstr("bad.csv:1: wrong header"));
    EXPECT_FALSE(std::filesystem::exists(folder / "shop.db"));
    EXPECT_EQ(replay(folder / "missing.csv"), 2);
    EXPECT_EQ(run({"replay"}), 2);
    EXPECT_EQ(run({"replay", "--store", "nonsense:x"}), 2);
}

TEST_F(ReplayedShop, IsNotBegunForAPageThatCannotBeServed) {
    EXPECT_EQ(run({"demo", "--store", url, "--address", "localhost"}), 2);
    EXPECT_THAT(error, HasSubstr("no IP address"));
    EXPECT_EQ(run({"demo", "--store", url, "--address", "192.0.2.1"}), 2);
    EXPECT_EQ(run({"serve", "--store", url, "--address", "localhost"}), 2);
    EXPECT_EQ(run({"demo", "--store", "memory:"}), 2);
    EXPECT_THAT(error, HasSubstr("would be gone before it is served"));
    EXPECT_EQ(events(), 0);
}

TEST_F(ReplayedShop, ReportsAStoreThatIsNotThere) {
    EXPECT_EQ(run({"totals", "--store", url}), 1);
    EXPECT_FALSE(std::filesystem::exists(folder / "shop.db"));
}

TEST_F(ReplayedShop, ReportsThatNoViewsAreBesideTheStore) {
    recount::open_store(url);
    for (const char* asked : {"totals", "views"}) {
        EXPECT_EQ(run({asked, "--store", url}), 1);
        EXPECT_THAT(error, HasSubstr("there are no views yet")) << asked;
    }
}

}  // namespace
}  // namespace shop
