#include "report.hpp"

#include <recount/core/error.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "json.hpp"

namespace shop {

namespace {

// A view of the shop has as many rows as there are products, customers or orders.
const recount::ListRows all_rows{.limit = 10'000'000};

template <class V>
std::vector<Json> rows_of(recount::View<V>& view) {
    const auto read = view.list(all_rows);
    std::vector<Json> rows;
    for (const auto& [key, row] : read.rows) rows.push_back(to_json(row));
    // Databases may order text by language; here it is the bytes that count.
    std::sort(rows.begin(), rows.end(), [](const Json& left, const Json& right) {
        return left.begin()->template get_ref<const std::string&>() <
               right.begin()->template get_ref<const std::string&>();
    });
    return rows;
}

std::string cell(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string padded(const std::string& text, std::size_t width, bool number) {
    const std::string blanks(width - std::min(width, text.size()), ' ');
    return (number ? blanks + text : text + blanks) + "  ";
}

/// Columns as wide as their widest cell; numbers to the right.
void print_table(const std::vector<Json>& rows, std::ostream& out) {
    if (rows.empty()) {
        out << "(no rows)\n";
        return;
    }
    std::vector<std::size_t> widths;
    for (const auto& [name, value] : rows.front().items()) widths.push_back(name.size());
    for (const Json& row : rows) {
        std::size_t column = 0;
        for (const auto& field : row) {
            widths[column] = std::max(widths[column], cell(field).size());
            ++column;
        }
    }
    std::size_t column = 0;
    for (const auto& [name, value] : rows.front().items()) {
        out << padded(name, widths[column++], value.is_number());
    }
    out << '\n';
    for (const Json& row : rows) {
        column = 0;
        for (const auto& field : row) {
            out << padded(cell(field), widths[column++], field.is_number());
        }
        out << '\n';
    }
}

template <class V, class Add>
void sum(recount::View<V>& view, const Add& add) {
    for (const auto& [key, row] : view.list(all_rows).rows) add(row);
}

std::string grouped(std::int64_t number) {
    std::string digits = std::to_string(std::abs(number));
    for (auto at = static_cast<std::int64_t>(digits.size()) - 3; at > 0; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), ",");
    }
    return (number < 0 ? "-" : "") + digits;
}

}  // namespace

std::string pounds(std::int64_t mills) {
    return (mills < 0 ? "-" : "") + grouped(std::abs(mills) / 1000) +
           fmt::format(".{:03}", std::abs(mills) % 1000);
}

void report(ShopViews& views, const std::string& name, ReportForm form, std::ostream& out) {
    bool known = false;
    std::string names;
    views.for_each([&](std::string_view view_name, auto& view) {
        names += (names.empty() ? "" : ", ") + std::string{view_name};
        if (name != view_name) return;
        known = true;
        const std::vector<Json> rows = rows_of(view);
        if (form == ReportForm::table) return print_table(rows, out);
        for (const Json& row : rows) out << dump(row) << '\n';
    });
    if (!known) throw recount::InvalidArgument("no view '" + name + "'; there are: " + names);
}

Totals totals(ShopViews& views) {
    Totals totals;
    sum(views.sales_by_month, [&](const MonthRow& row) {
        totals.month_mills += row.mills();
        totals.month_units += row.units();
    });
    sum(views.sales_by_country,
        [&](const CountryRow& row) { totals.country_mills += row.mills(); });
    sum(views.customer_spend,
        [&](const CustomerRow& row) { totals.customer_mills += row.mills(); });
    sum(views.stock_level, [&](const StockRow& row) { totals.stock_units += row.net_units(); });
    sum(views.order_status, [&](const OrderRow& row) {
        totals.orders_confirmed += row.status() == "confirmed" ? 1 : 0;
        totals.orders_cancelled += row.status() == "cancelled" ? 1 : 0;
        totals.orders_open += row.status() == "placed" ? 1 : 0;
        totals.returns += row.status() == "returned" ? 1 : 0;
    });
    return totals;
}

void print(const Totals& totals, std::ostream& out) {
    const auto line = [&](std::string_view what, const std::string& value) {
        out << fmt::format("{:<34}{:>16}\n", what, value);
    };
    line("sales by month, pounds", pounds(totals.month_mills));
    line("sales by country, pounds", pounds(totals.country_mills));
    line("spent by customers, pounds", pounds(totals.customer_mills));
    line("units by month", grouped(totals.month_units));
    line("units by stock level", grouped(totals.stock_units));
    line("orders confirmed", grouped(totals.orders_confirmed));
    line("orders cancelled", grouped(totals.orders_cancelled));
    line("orders under way", grouped(totals.orders_open));
    line("returns", grouped(totals.returns));
}

}  // namespace shop
