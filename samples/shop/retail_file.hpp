#pragma once

#include <recount/core/values.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "csv.hpp"

namespace shop {

enum class InvoiceKind : std::uint8_t { sale, goods_returned, debt_adjusted };

/// One line of an invoice, checked.
struct RetailRow {
    std::string invoice;
    std::string sku;
    std::string description;
    std::int64_t quantity = 0;  // never 0
    recount::Timestamp at;      // the shop's own time, read as UTC
    std::int64_t price_mills = 0;
    std::string customer;  // may be empty
    std::string country;

    [[nodiscard]] InvoiceKind kind() const;
    [[nodiscard]] std::int64_t mills() const { return quantity * price_mills; }
};

/// Reads an Online Retail file row by row: CSV as RFC 4180 has it, packed by gzip or plain,
/// columns as in data/README.md. Memory does not grow with the file. Throws BadFile for anything
/// that is not exactly so, from the header to the end of the gzip stream. One thread at a time.
class RetailFile {
public:
    explicit RetailFile(std::filesystem::path file);

    /// False at the end. `row` keeps its buffers from call to call.
    bool next(RetailRow& row);
    /// Of the row that was read last, from 1.
    [[nodiscard]] std::int64_t line() const { return csv_.line(); }
    /// Throws BadFile about the row that was read last.
    [[noreturn]] void fail(const std::string& reason) const { csv_.fail(reason); }

private:
    CsvReader csv_;
    std::vector<std::string> fields_;
};

/// What a whole file comes to, found before anything is done with it.
struct FileTotals {
    std::int64_t rows = 0;
    std::int64_t mills = 0;
    std::int64_t units = 0;
    std::int64_t sales = 0;  // invoices of each kind
    std::int64_t returns = 0;
    std::int64_t adjustments = 0;
    std::int64_t returned_rows = 0;
    std::int64_t returned_mills = 0;
    std::unordered_map<std::string, std::int64_t> lines_by_invoice;
};

/// Reads the file to its end and checks every row, and that the rows of an invoice belong
/// together. Throws BadFile.
FileTotals validate(const std::filesystem::path& file);

/// The rows of one invoice in the order of the file.
using Invoice = std::vector<RetailRow>;

/// Hands over the invoices of a validated file, each when its last row was read: a few have rows
/// of others among their own.
void for_each_invoice(const std::filesystem::path& file, const FileTotals& totals,
                      const std::function<void(const Invoice&)>& visit);

}  // namespace shop
