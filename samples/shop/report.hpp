#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "shop_views.hpp"

namespace shop {

enum class ReportForm : std::uint8_t { table, json_lines };

/// Prints a view, sorted by its first field. Throws recount::InvalidArgument for an unknown name.
void report(ShopViews& views, const std::string& name, ReportForm form, std::ostream& out);

/// What all rows of the views come to.
struct Totals {
    std::int64_t month_mills = 0, month_units = 0;
    std::int64_t country_mills = 0, customer_mills = 0, stock_units = 0;
    std::int64_t orders_confirmed = 0, orders_cancelled = 0, orders_open = 0, returns = 0;
};
Totals totals(ShopViews& views);
void print(const Totals& totals, std::ostream& out);

/// "748,957.020"
std::string pounds(std::int64_t mills);

}  // namespace shop
