#include "retail_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "temporary_file.hpp"

namespace shop {
namespace {

using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;

const std::string header =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
const std::string good = "536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n";

std::vector<RetailRow> rows_of(const std::string& content) {
    TemporaryFolder folder;
    test::write_file(folder / "rows.csv", content);
    RetailFile file{folder / "rows.csv"};
    std::vector<RetailRow> rows;
    for (RetailRow row; file.next(row);) rows.push_back(row);
    return rows;
}

RetailRow row_of(const std::string& line) { return rows_of(header + line).at(0); }

/// What is said about a file with this content; empty when it is taken.
std::string fault_of(const std::string& content) {
    TemporaryFolder folder;
    test::write_file(folder / "rows.csv", content);
    try {
        validate(folder / "rows.csv");
        return {};
    } catch (const BadFile& error) {
        const std::string message = error.what();
        return message.substr(message.find("rows.csv"));
    }
}

std::string fault_of_row(const std::string& line) { return fault_of(header + good + line + "\n"); }

TEST(FirstMonth, HasItsExactTotals) {
    const FileTotals totals = validate(SHOP_DATA);
    EXPECT_EQ(totals.rows, 42'481);
    EXPECT_EQ(totals.mills, 748'957'020);
    EXPECT_EQ(totals.units, 342'228);
    EXPECT_EQ(totals.returned_rows, 728);
    EXPECT_EQ(totals.returned_mills, -74'789'120);
    EXPECT_EQ(totals.sales, 1'699);
    EXPECT_EQ(totals.returns, 326);
    EXPECT_EQ(totals.adjustments, 0);
}

TEST(FirstMonth, IsHandedOverByInvoice) {
    const FileTotals totals = validate(SHOP_DATA);
    std::int64_t rows = 0, invoices = 0;
    for_each_invoice(SHOP_DATA, totals, [&](const Invoice& invoice) {
        ++invoices;
        rows += static_cast<std::int64_t>(invoice.size());
        for (const RetailRow& row : invoice) EXPECT_EQ(row.invoice, invoice.front().invoice);
    });
    EXPECT_EQ(invoices, 1'699 + 326);
    EXPECT_EQ(rows, 42'481);
}

TEST(GoodRow, IsReadWhole) {
    const RetailRow row = row_of(good);
    EXPECT_EQ(row.invoice, "536365");
    EXPECT_EQ(row.sku, "85123A");
    EXPECT_EQ(row.description, "HEART");
    EXPECT_EQ(row.quantity, 6);
    EXPECT_EQ(recount::to_string(row.at), "2010-12-01T08:26:00.000000Z");
    EXPECT_EQ(row.price_mills, 2'550);
    EXPECT_EQ(row.customer, "17850");
    EXPECT_EQ(row.country, "United Kingdom");
    EXPECT_EQ(row.kind(), InvoiceKind::sale);
}

TEST(OddRow, CancelsWithoutNamingWhat) {
    const RetailRow row =
        row_of("C536379,D,Discount,-1,2010-12-01 09:41:00,27.5,14527,United Kingdom\n");
    EXPECT_EQ(row.kind(), InvoiceKind::goods_returned);
    EXPECT_EQ(row.mills(), -27'500);
}

TEST(OddRow, AdjustsADebtAtANegativePrice) {
    const RetailRow row =
        row_of("A563186,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,,United Kingdom\n");
    EXPECT_EQ(row.kind(), InvoiceKind::debt_adjusted);
    EXPECT_EQ(row.price_mills, -11'062'060);
    EXPECT_EQ(row.customer, "");
}

TEST(OddRow, CorrectsStockAtNoPrice) {
    const RetailRow row = row_of("536589,21777,,-10,2010-12-01 16:50:00,0,,United Kingdom\n");
    EXPECT_EQ(row.kind(), InvoiceKind::sale);
    EXPECT_EQ(row.quantity, -10);
    EXPECT_EQ(row.price_mills, 0);
    EXPECT_EQ(row.description, "");
}

TEST(OddRow, CostsATenthOfAPenny) {
    EXPECT_EQ(row_of("550193,PADS,PADS,1,2011-04-15 09:27:00,0.001,13952,United Kingdom\n").mills(),
              1);
}

TEST(OddRow, HasACodeThatIsNoNumber) {
    EXPECT_EQ(row_of("1" + good.substr(1, 6) + "BANK CHARGES,,1,2010-12-01 08:26:00,1,,EIRE\n").sku,
              "BANK CHARGES");
    EXPECT_EQ(row_of("536365,gift_0001_20,,1,2010-12-01 08:26:00,1,,EIRE\n").sku, "gift_0001_20");
    EXPECT_EQ(row_of("536365,15056bl,,1,2010-12-01 08:26:00,1,,EIRE\n").sku, "15056bl");
}

TEST(OddRow, QuotesCommasAndQuotes) {
    EXPECT_EQ(
        row_of("536365,1,\"SET 3 \"\"ROSES\"\", RED\",1,2010-12-01 08:26:00,1,,EIRE\n").description,
        "SET 3 \"ROSES\", RED");
}

TEST(OddRow, HoldsAPoundSign) {
    EXPECT_EQ(row_of("536365,1,\u00a35 GIFT,1,2010-12-01 08:26:00,1,,EIRE\n").description,
              "\u00a35 GIFT");
}

TEST(OddRow, IsRepeatedExactly) {
    const auto rows = rows_of(header + good + good);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].sku, rows[1].sku);
}

TEST(OddInvoice, HasMoreThanOneTimeAndOthersAmongItsRows) {
    TemporaryFolder folder;
    test::write_file(folder / "rows.csv", header + good +
                                              "536366,1,,1,2010-12-01 08:26:00,1,,EIRE\n"
                                              "536365,2,,1,2010-12-01 08:27:00,1,17850,"
                                              "United Kingdom\n");
    const FileTotals totals = validate(folder / "rows.csv");
    std::vector<std::string> order;
    for_each_invoice(folder / "rows.csv", totals, [&](const Invoice& invoice) {
        order.push_back(invoice.front().invoice + ":" + std::to_string(invoice.size()));
    });
    EXPECT_THAT(order, testing::ElementsAre("536366:1", "536365:2"));
}

TEST(RowsOfAFile, MayEndInCrLfOrNothing) {
    EXPECT_EQ(fault_of(header.substr(0, header.size() - 1) + "\r\n" +
                       good.substr(0, good.size() - 1) + "\r\n"),
              "");
    EXPECT_EQ(fault_of(header + good.substr(0, good.size() - 1)), "");
    EXPECT_EQ(fault_of(header), "");
}

TEST(MalformedFile, NamesItselfLineAndReason) {
    EXPECT_EQ(fault_of(""), "rows.csv:1: is empty; expected the header InvoiceNo,StockCode,…");
    EXPECT_THAT(fault_of("a,b\n" + good), HasSubstr("rows.csv:1: wrong header"));
    EXPECT_THAT(fault_of(good), HasSubstr("rows.csv:1: wrong header"));
    EXPECT_EQ(fault_of_row("536366,1"), "rows.csv:3: expected 8 columns, found 2");
    EXPECT_EQ(fault_of_row(""), "rows.csv:3: expected 8 columns, found 1");
    EXPECT_EQ(fault_of_row("536366,1,,1,2010-12-01 08:26:00,1,,EIRE,more"),
              "rows.csv:3: expected 8 columns, found 9");
}

TEST(MalformedFile, IsMissingOrAFolder) {
    EXPECT_THROW(validate("/nowhere/rows.csv"), BadFile);
    EXPECT_THROW(validate("/tmp"), BadFile);
}

TEST(MalformedFile, IsAPipe) {
    TemporaryFolder folder;
    const std::string path = folder / "rows.csv";
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    const int filled = open(path.c_str(), O_RDWR | O_CLOEXEC);  // so that nobody waits to open it
    ASSERT_EQ(write(filled, header.data(), header.size()), static_cast<ssize_t>(header.size()));
    EXPECT_THAT([&] { validate(path); }, testing::ThrowsMessage<BadFile>(HasSubstr("is a pipe")));
    close(filled);
}

TEST(MalformedRow, NamesTheColumn) {
    EXPECT_THAT(fault_of_row("53636,1,,1,2010-12-01 08:26:00,1,,EIRE"), HasSubstr(":3: InvoiceNo"));
    EXPECT_THAT(fault_of_row("X536366,1,,1,2010-12-01 08:26:00,1,,EIRE"), HasSubstr("InvoiceNo"));
    EXPECT_THAT(fault_of_row("536366,,,1,2010-12-01 08:26:00,1,,EIRE"), HasSubstr("StockCode"));
    EXPECT_THAT(fault_of_row("536366,1,,1,2010-12-01 08:26:00,1,,"), HasSubstr("Country"));
    EXPECT_THAT(fault_of_row("536366,1,,1,2010-12-01 08:26:00,1,17850.0,EIRE"),
                HasSubstr("CustomerID"));
    for (const char* quantity : {"", "0", "1.5", "1e3", "+1", " 1", "99999999999999999999"}) {
        EXPECT_THAT(
            fault_of_row("536366,1,," + std::string{quantity} + ",2010-12-01 08:26:00,1,,EIRE"),
            HasSubstr("Quantity"))
            << quantity;
    }
    for (const char* price :
         {"", ".5", "1.", "1.2345", "1,5", "abc", "--1", "1e3", "1000000.001"}) {
        EXPECT_NE(fault_of_row("536366,1,,1,2010-12-01 08:26:00," + std::string{price} + ",,EIRE"),
                  "")
            << price;
    }
    for (const char* date :
         {"", "2010-12-01", "2010-13-01 08:26:00", "2010-02-29 08:26:00", "2010-12-01T08:26:00",
          "2010-12-01 24:00:00", "2010-12-01 08:60:00", "01/12/2010 08:26:00"}) {
        EXPECT_THAT(fault_of_row("536366,1,,1," + std::string{date} + ",1,,EIRE"),
                    HasSubstr("InvoiceDate"))
            << date;
    }
}

TEST(MalformedRow, BreaksARuleOfItsKind) {
    EXPECT_THAT(fault_of_row("C536366,1,,1,2010-12-01 08:26:00,1,,EIRE"),
                HasSubstr("cancellation"));
    EXPECT_THAT(fault_of_row("536366,1,,1,2010-12-01 08:26:00,-1,,EIRE"), HasSubstr("negative"));
    EXPECT_THAT(fault_of_row("536365,1,,1,2010-12-01 08:26:00,1,17850,EIRE"), HasSubstr("differ"));
    EXPECT_THAT(fault_of_row("536365,1,,1,2011-01-01 08:26:00,1,17850,United Kingdom"),
                HasSubstr("differ"));
}

TEST(MalformedText, IsNotUtf8OrHoldsControlCharacters) {
    for (const char* bytes : {"\xa3", "\xc2", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                              "\xe0\x80\x80", "\xf4\x90\x80\x80"}) {
        EXPECT_THAT(
            fault_of_row("536366,1," + std::string{bytes} + ",1,2010-12-01 08:26:00,1,,EIRE"),
            HasSubstr("Description is not UTF-8"));
    }
    for (const char* control : {"\x01", "\x7f", "\xc2\x80", "\xc2\x96", "\xc2\x9f"}) {
        EXPECT_THAT(
            fault_of_row("536366,9" + std::string{control} + ",,1,2010-12-01 08:26:00,1,,EIRE"),
            HasSubstr("StockCode holds a control character"));
    }
    EXPECT_THAT(
        fault_of_row("536366,1," + std::string(5000, 'x') + ",1,2010-12-01 08:26:00,1,,EIRE"),
        HasSubstr("longer"));
}

TEST(MalformedQuotes, AreNamed) {
    EXPECT_THAT(fault_of_row("536366,1,\"open,1,2010-12-01 08:26:00,1,,EIRE"),
                HasSubstr(":3: a quoted field has no end"));
    EXPECT_THAT(fault_of_row("536366,1,\"a\"b,1,2010-12-01 08:26:00,1,,EIRE"),
                HasSubstr("text behind a closing quote"));
    EXPECT_THAT(fault_of_row("536366,1,a\"b,1,2010-12-01 08:26:00,1,,EIRE"), HasSubstr("a quote"));
    EXPECT_THAT(fault_of_row("536366,1,a\rb,1,2010-12-01 08:26:00,1,,EIRE"),
                HasSubstr("carriage return"));
}

TEST(PackedFile, ReadsAsItsContent) {
    TemporaryFolder folder;
    test::write_gzip(folder / "rows.csv.gz", header + good);
    EXPECT_EQ(validate(folder / "rows.csv.gz").rows, 1);
}

TEST(PackedFile, IsRefusedWhereverItWasCutOff) {
    TemporaryFolder folder;
    test::write_gzip(folder / "whole.gz", header + good + good + good);
    const std::string whole = test::read_file(folder / "whole.gz");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        test::write_file(folder / "cut.gz", whole.substr(0, size));
        EXPECT_THROW(validate(folder / "cut.gz"), BadFile) << size << " of " << whole.size();
    }
}

TEST(PackedFile, IsRefusedWhenABitOfItsContentFlipped) {
    TemporaryFolder folder;
    test::write_gzip(folder / "whole.gz", header + good + good + good);
    const std::string whole = test::read_file(folder / "whole.gz");
    int refused = 0;
    for (std::size_t byte = 10; byte < whole.size(); ++byte) {
        std::string flipped = whole;
        flipped[byte] = static_cast<char>(flipped[byte] ^ 0x10);
        test::write_file(folder / "flipped.gz", flipped);
        try {  // the last byte of the compressed data has bits that mean nothing
            EXPECT_EQ(validate(folder / "flipped.gz").mills, 3 * 15'300) << "byte " << byte;
        } catch (const BadFile&) {
            ++refused;
        }
    }
    EXPECT_GE(refused, static_cast<int>(whole.size()) - 10 - 1);
}

}  // namespace
}  // namespace shop
