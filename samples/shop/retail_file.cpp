#include "retail_file.hpp"

#include <recount/core/utf8.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "limits.hpp"

namespace shop {
namespace {

enum Column : std::size_t { invoice, sku, description, quantity, date, price, customer, country };
constexpr std::array<std::string_view, 8> header{"InvoiceNo",  "StockCode",   "Description",
                                                 "Quantity",   "InvoiceDate", "UnitPrice",
                                                 "CustomerID", "Country"};

constexpr std::int64_t max_lines = 10'000;  // of one invoice: its order has to fit into one event

bool digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_invoice(std::string_view text) {
    if (!text.empty() && (text.front() == 'C' || text.front() == 'A')) text.remove_prefix(1);
    return text.size() == 6 && digits(text);
}

/// What is wrong with a text, or nothing.
std::string_view text_fault(std::string_view text, bool line_breaks) {
    while (!text.empty()) {
        const std::size_t size = recount::utf8_sequence(text);
        if (size == 0) return "is not UTF-8";
        const auto first = static_cast<unsigned char>(text.front());
        const bool line_break = first == '\n' || first == '\r';
        const bool c1 = first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
        if ((first < 0x20 && !(line_break && line_breaks)) || first == 0x7f || c1) {
            return "holds a control character";
        }
        text.remove_prefix(size);
    }
    return {};
}

std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t limit) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (value > limit || value < -limit) return std::nullopt;
    return value;
}

/// Pounds with up to three decimals, as mills.
std::optional<std::int64_t> parse_mills(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    const std::size_t dot = text.find('.');
    const std::string_view whole = text.substr(0, dot);
    if (!digits(whole) || whole.size() > 12) return std::nullopt;
    std::int64_t mills = *parse_integer(whole, max_price_mills * 1000) * 1000;
    if (dot != std::string_view::npos) {
        const std::string_view fraction = text.substr(dot + 1);
        if (!digits(fraction) || fraction.size() > 3) return std::nullopt;
        std::int64_t scaled = *parse_integer(fraction, 999);
        for (std::size_t i = fraction.size(); i < 3; ++i) scaled *= 10;
        mills += scaled;
    }
    if (mills > max_price_mills) return std::nullopt;
    return negative ? -mills : mills;
}

/// "2010-12-01 08:26:00"
std::optional<recount::Timestamp> parse_date(std::string_view text) {
    if (text.size() != 19 || text[4] != '-' || text[7] != '-' || text[10] != ' ' ||
        text[13] != ':' || text[16] != ':') {
        return std::nullopt;
    }
    const auto part = [&](std::size_t from, std::size_t size) {
        const std::string_view piece = text.substr(from, size);
        return digits(piece) ? static_cast<int>(*parse_integer(piece, 9999)) : -1;
    };
    const int year = part(0, 4), month = part(5, 2), day = part(8, 2);
    const int hour = part(11, 2), minute = part(14, 2), second = part(17, 2);
    if (year < 1970 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 59) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second};
}

void check_text(const RetailFile& file, const std::string& text, Column column, std::size_t limit) {
    const std::string name{header[column]};
    if (text.size() > limit)
        file.fail(name + " is longer than " + std::to_string(limit) + " bytes");
    const std::string_view fault = text_fault(text, column == description);
    if (!fault.empty()) file.fail(name + " " + std::string{fault});
}

}  // namespace

InvoiceKind RetailRow::kind() const {
    if (invoice.starts_with('C')) return InvoiceKind::goods_returned;
    if (invoice.starts_with('A')) return InvoiceKind::debt_adjusted;
    return InvoiceKind::sale;
}

RetailFile::RetailFile(std::filesystem::path file) : csv_(std::move(file)) {
    if (!csv_.next(fields_)) fail("is empty; expected the header InvoiceNo,StockCode,…");
    if (!std::equal(fields_.begin(), fields_.end(), header.begin(), header.end())) {
        fail(
            "wrong header; expected "
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country");
    }
}

bool RetailFile::next(RetailRow& row) {
    if (!csv_.next(fields_)) return false;
    if (fields_.size() != header.size()) {
        fail("expected 8 columns, found " + std::to_string(fields_.size()));
    }
    if (!is_invoice(fields_[invoice])) fail("InvoiceNo is not 6 digits, with C or A before or not");
    check_text(*this, fields_[sku], sku, 64);
    check_text(*this, fields_[description], description, 1024);
    check_text(*this, fields_[country], country, 64);
    if (fields_[sku].empty()) fail("StockCode is empty");
    if (fields_[country].empty()) fail("Country is empty");
    if (!fields_[customer].empty() &&
        (!digits(fields_[customer]) || fields_[customer].size() > 18)) {
        fail("CustomerID is not a number");
    }
    const auto units = parse_integer(fields_[quantity], max_quantity);
    if (!units || *units == 0) fail("Quantity is not a whole number other than 0, up to 10000000");
    const auto at = parse_date(fields_[date]);
    if (!at) fail("InvoiceDate is not a time such as 2010-12-01 08:26:00");
    const auto mills = parse_mills(fields_[price]);
    if (!mills) fail("UnitPrice is not a number with at most 3 decimals, up to 1000000");

    std::swap(row.invoice, fields_[invoice]);
    std::swap(row.sku, fields_[sku]);
    std::swap(row.description, fields_[description]);
    std::swap(row.customer, fields_[customer]);
    std::swap(row.country, fields_[country]);
    row.quantity = *units;
    row.at = *at;
    row.price_mills = *mills;
    if (row.kind() == InvoiceKind::goods_returned && row.quantity > 0) {
        fail("a cancellation with a positive Quantity");
    }
    if (row.kind() != InvoiceKind::debt_adjusted && row.price_mills < 0) {
        fail("a negative UnitPrice outside an A invoice");
    }
    return true;
}

namespace {

/// What every row of an invoice has in common.
struct InvoiceFacts {
    std::string customer, country, month;
    bool operator==(const InvoiceFacts&) const = default;
};

void add(const RetailFile& file, const RetailRow& row, FileTotals& totals,
         std::int64_t& magnitude) {
    const std::int64_t mills = row.mills();
    if (__builtin_add_overflow(magnitude, mills < 0 ? -mills : mills, &magnitude)) {
        file.fail("the amounts up to here exceed what 64 bits hold");
    }
    ++totals.rows;
    totals.mills += mills;
    totals.units += row.quantity;
    if (row.kind() == InvoiceKind::goods_returned) {
        ++totals.returned_rows;
        totals.returned_mills += mills;
    }
}

}  // namespace

FileTotals validate(const std::filesystem::path& path) {
    RetailFile file{path};
    FileTotals totals;
    std::unordered_map<std::string, InvoiceFacts> facts;
    std::int64_t magnitude = 0;
    for (RetailRow row; file.next(row);) {
        add(file, row, totals, magnitude);
        const InvoiceFacts found{row.customer, row.country, recount::month_of(row.at)};
        const auto [entry, first] = facts.try_emplace(row.invoice, found);
        if (entry->second != found) {
            file.fail("customer, country or month differ from earlier rows of invoice " +
                      row.invoice);
        }
        if (++totals.lines_by_invoice[row.invoice] > max_lines) {
            file.fail("invoice " + row.invoice + " has more than 10000 lines");
        }
        if (!first) continue;
        switch (row.kind()) {
            case InvoiceKind::sale:
                ++totals.sales;
                break;
            case InvoiceKind::goods_returned:
                ++totals.returns;
                break;
            case InvoiceKind::debt_adjusted:
                ++totals.adjustments;
                break;
        }
    }
    return totals;
}

void for_each_invoice(const std::filesystem::path& path, const FileTotals& totals,
                      const std::function<void(const Invoice&)>& visit) {
    RetailFile file{path};
    std::unordered_map<std::string, Invoice> open;
    for (RetailRow row; file.next(row);) {
        const auto lines = totals.lines_by_invoice.find(row.invoice);
        if (lines == totals.lines_by_invoice.end())
            file.fail("the file has changed while it was read");
        Invoice& invoice = open[row.invoice];
        invoice.push_back(row);
        if (static_cast<std::int64_t>(invoice.size()) == lines->second) {
            visit(invoice);
            open.erase(invoice.front().invoice);
        }
    }
    if (!open.empty()) file.fail("the file has changed while it was read");
}

}  // namespace shop
