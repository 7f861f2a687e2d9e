#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "report.hpp"
#include "retail_file.hpp"
#include "shop_views.hpp"
#include "temporary_file.hpp"

namespace shop::test {

/// Writes the first rows of the month, unpacked, up to the end of an invoice.
inline std::filesystem::path first_rows(const std::filesystem::path& into, std::int64_t rows) {
    gzFile month = gzopen(SHOP_DATA, "rb");
    std::ofstream file{into};
    std::string last;
    char line[4096];
    for (std::int64_t i = 0; gzgets(month, line, sizeof line) != nullptr; ++i) {
        const std::string invoice{line, 7};
        if (i > rows && invoice != last) break;
        last = invoice;
        file << line;
    }
    gzclose(month);
    return into;
}

/// All that a file says is in the views, to the mill, and nothing is under way.
inline void expect_totals(ShopViews& views, const FileTotals& expected) {
    const Totals found = totals(views);
    EXPECT_EQ(found.month_mills, expected.mills);
    EXPECT_EQ(found.month_units, expected.units);
    EXPECT_EQ(found.country_mills, expected.mills);
    EXPECT_EQ(found.customer_mills, expected.mills);
    EXPECT_EQ(found.stock_units, expected.units);
    EXPECT_EQ(found.returns, expected.returns);
    EXPECT_EQ(found.orders_cancelled, 0);
    EXPECT_EQ(found.orders_open, 0);
    EXPECT_GT(found.orders_confirmed, 0);
    views.for_each([](std::string_view name, auto& view) {
        const recount::Served served = view.list({.limit = 1});
        EXPECT_EQ(served.lag.events, 0) << name;
    });
}

}  // namespace shop::test
