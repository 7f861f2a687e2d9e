#include "replay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <recount/eventstore.hpp>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "opening_stock.hpp"
#include "temporary_file.hpp"

namespace shop {
namespace {

using testing::ElementsAre;
using testing::Pair;

const std::string header =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

/// A sale of two lines of one SKU, a correction, a return, a debt.
const std::string small =
    header +
    "536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
    "536365,85123A,HEART,2,2010-12-01 08:27:00,2.55,17850,United Kingdom\n"
    "536366,85123A,broken,-3,2010-12-01 08:28:00,0,,United Kingdom\n"
    "C536367,85123A,HEART,-1,2010-12-01 08:29:00,2.55,17850,United Kingdom\n"
    "536368,BANK CHARGES,,1,2010-12-01 08:30:00,0,,EIRE\n"
    "A536369,B,Adjust bad debt,1,2010-12-01 08:31:00,-11062.06,,United Kingdom\n";

class SmallShop : public testing::Test {
protected:
    ReplayResult replay(const std::string& content, std::size_t commands = 512) {
        test::write_file(folder / "rows.csv", content);
        Repositories shop{*store};
        Replay replay{*store, shop, {.commands = commands}};
        return replay.run(folder / "rows.csv", validate(folder / "rows.csv"),
                          [](std::int64_t) { return true; });
    }
    std::map<std::string, int> events() {
        std::map<std::string, int> counts;
        for (std::int32_t p = 0; p < store->identity().partitions; ++p) {
            for (std::int64_t n = 0;;) {
                const auto page = store->read(recount::Partition{p}, n);
                for (const auto& event : page.events) ++counts[event.at.type];
                if (page.end) break;
                n = page.events.back().at.position.n;
            }
        }
        return counts;
    }
    std::int64_t heads() {
        std::int64_t sum = 0;
        for (const auto& head : store->heads()) sum += head.n;
        return sum;
    }

    test::TemporaryFolder folder;
    std::unique_ptr<recount::EventStore> store = recount::open_store("memory:");
};

TEST_F(SmallShop, OpensWithAllThatIsEverTaken) {
    // The return comes first in the file, but a sale's saga need not wait for it.
    test::write_file(folder / "rows.csv",
                     small.substr(0, header.size()) +
                         "C536367,85123A,HEART,-8,2010-12-01 08:20:00,2.55,17850,United Kingdom\n" +
                         small.substr(header.size()));
    const FileTotals totals = validate(folder / "rows.csv");
    EXPECT_THAT(opening_stock(folder / "rows.csv", totals),
                ElementsAre(Pair("85123A", 11), Pair("BANK CHARGES", 1)));
}

TEST_F(SmallShop, DoesWhatTheFileSays) {
    const ReplayResult result = replay(small);
    EXPECT_TRUE(result.finished);
    EXPECT_EQ(result.rows, 6);
    EXPECT_EQ(result.refused, 0);
    EXPECT_THAT(events(), ElementsAre(Pair("shop.CheckedOut", 2), Pair("shop.CustomerCredited", 1),
                                      Pair("shop.DebtAdjusted", 1), Pair("shop.GoodsReturned", 1),
                                      Pair("shop.ItemAdded", 3), Pair("shop.OrderPlaced", 2),
                                      Pair("shop.StockAdjusted", 1), Pair("shop.StockOpened", 2),
                                      Pair("shop.StockReturned", 1)));
}

TEST_F(SmallShop, KeepsTheTimesOfTheFile) {
    replay(small);
    const auto page = store->read_stream({"order", "536365"});
    ASSERT_EQ(page.events.size(), 1U);
    EXPECT_EQ(recount::to_string(page.events[0].at.occurred_at), "2010-12-01T08:27:00.000000Z");
    const auto placed = recount::parse_as<OrderPlaced>(page.events[0]);
    EXPECT_EQ(placed.total_mills(), 8 * 2'550);
    EXPECT_EQ(placed.units(), 8);
    EXPECT_EQ(placed.source(), "online-retail");
}

TEST_F(SmallShop, DoesNothingTheSecondTime) {
    replay(small);
    const std::int64_t before = heads();
    const ReplayResult again = replay(small);
    EXPECT_EQ(again.commands, 0);
    EXPECT_EQ(again.rows, 6);
    EXPECT_EQ(heads(), before);
}

TEST_F(SmallShop, RefusesAnotherFileUnderTheSameInvoices) {
    replay(small);
    std::string other = small;
    other.replace(other.find("HEART,6"), 7, "HEART,7");
    EXPECT_THROW(replay(other), recount::CommandReused);
}

TEST_F(SmallShop, TopsUpItsOpeningStockForALongerFile) {
    replay(small);
    replay(small + "536370,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n");
    Repositories shop{*store};
    EXPECT_EQ(shop.stock.load("85123A").state.opened, 17);
    replay(small);
    EXPECT_EQ(shop.stock.load("85123A").state.opened, 17);
}

TEST_F(SmallShop, GoesOnWhereverItWasStopped) {
    const auto whole = [&] {
        replay(small, 1);
        return events();
    }();
    for (int commits = 0; commits < 14; ++commits) {
        store = recount::open_store("memory:");
        Repositories shop{*store};
        Replay replaying{*store, shop, {.commands = 1}};
        int left = commits;
        const auto cut = replaying.run(folder / "rows.csv", validate(folder / "rows.csv"),
                                       [&](std::int64_t) { return left-- > 0; });
        EXPECT_FALSE(cut.finished) << commits;
        replay(small, 5);
        EXPECT_EQ(events(), whole) << commits;
    }
}

TEST_F(SmallShop, CountsRefusals) {
    replay(small);
    // Somebody took what was there: the next correction finds too little.
    Repositories shop{*store};
    AdjustStock gone;
    gone.set_sku("85123A");
    gone.set_change(-shop.stock.load("85123A").state.on_hand);
    ASSERT_TRUE(shop.stock.handle("85123A", gone));
    const ReplayResult result =
        replay(header + "536371,85123A,broken,-1,2010-12-01 08:28:00,0,,United Kingdom\n");
    EXPECT_EQ(result.refused, 1);
    ASSERT_EQ(result.refusals.size(), 1U);
    EXPECT_THAT(result.refusals[0],
                testing::HasSubstr("online-retail/536371/1/adjust: out_of_stock"));
}

}  // namespace
}  // namespace shop
