#include "columns.hpp"

#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/projections.hpp>

#include <limits>

#include "cart.pb.h"
#include "place.hpp"

namespace recount::projections {
namespace {

using test::projections::EveryKind;
using test::projections::HasTimes;

EveryKind some_row(int seed) {
    EveryKind row;
    if (seed == 0) return row;
    row.set_a(std::numeric_limits<std::int32_t>::min() + seed);
    row.set_b(std::numeric_limits<std::int64_t>::max() - seed);
    row.set_c(std::numeric_limits<std::uint32_t>::max() - static_cast<std::uint32_t>(seed));
    row.set_d(-seed);
    row.set_e(seed % 2 == 1);
    row.set_f(EveryKind::COLOUR_RED);
    row.set_g(0.1F * static_cast<float>(seed));
    row.set_h(seed / 3.0);
    row.set_i("it's \"quoted\" ä 漢");
    row.set_j(std::string{"\0\xff\x01", 3});
    row.mutable_k()->set_number(0);
    row.mutable_k()->set_raw("\xfe");
    row.mutable_k()->set_ratio(1e-300 / seed);
    for (int n = 0; n < seed; ++n) {
        row.add_l(std::int64_t{1} << (n % 60));
        row.add_m()->add_words("w" + std::to_string(n));
        (*row.mutable_n())["key " + std::to_string(n * 7919 % 101)].set_number(n);
    }
    if (seed % 2 == 0) row.set_o("");
    if (seed % 3 == 0) row.set_p("p");
    if (seed % 3 == 1) row.set_q(0);
    row.set_order("desc");
    return row;
}

TEST(ARow, IsMadeAgainFromItsColumnsWithoutLoss) {
    const RowColumns columns{*EveryKind::descriptor()};
    const auto database = Database::open("sqlite::memory:");
    const auto sql = database->begin(SqlMode::write);
    sql->exec(columns.create_table("every", sql->dialect()));
    for (int seed = 0; seed < 40; ++seed) {
        const EveryKind row = some_row(seed);
        const std::string key = std::to_string(seed);
        RowsWrite write{"every", columns.names(), columns.types(), {"_key"}, {}};
        write.rows.push_back({key, std::int64_t{1}});
        columns.encode(row, write.rows.back());
        sql->write(write);
        const SqlResult found = sql->read("every", columns.names(), "_key", {{key}});
        ASSERT_EQ(found.size(), 1U);
        EveryKind again;
        columns.decode(found.rows[0], 2, again);
        EXPECT_EQ(again.DebugString(), row.DebugString());
        EXPECT_EQ(again.has_o(), row.has_o());
        EXPECT_EQ(again.choice_case(), row.choice_case());
        std::vector<SqlValue> first(write.rows.back().begin() + 2, write.rows.back().end()), second;
        columns.encode(again, second);
        EXPECT_EQ(first, second);
    }
}

TEST(ARow, HasTheSameTextForTheSameMap) {
    EveryKind forwards, backwards;
    for (int n = 0; n < 50; ++n) (*forwards.mutable_n())[std::to_string(n)].set_number(n);
    for (int n = 49; n >= 0; --n) (*backwards.mutable_n())[std::to_string(n)].set_number(n);
    const auto& field = *EveryKind::descriptor()->FindFieldByName("n");
    EXPECT_EQ(field_json(forwards, field), field_json(backwards, field));
}

TEST(ARow, CannotHoldWhatNoDatabaseKeeps) {
    EXPECT_THROW(RowColumns{*test::projections::HasUnsigned::descriptor()}, InvalidArgument);
    const RowColumns columns{*EveryKind::descriptor()};
    EveryKind row;
    columns.check(row);
    row.set_h(std::numeric_limits<double>::quiet_NaN());
    EXPECT_THROW(columns.check(row), InvalidArgument);
    row.set_h(std::numeric_limits<double>::infinity());
    columns.check(row);
    row.set_i(std::string{"\0", 1});
    EXPECT_THROW(columns.check(row), InvalidArgument);
    row.set_i("cut \xc3");
    EXPECT_THROW(columns.check(row), InvalidArgument);
    row.set_i("ä");
    row.set_j("\xff");  // bytes may be any
    columns.check(row);
}

TEST(ARow, CannotHoldWhatIsNoJson) {
    const RowColumns columns{*HasTimes::descriptor()};
    HasTimes row;
    columns.check(row);
    row.mutable_at()->set_seconds(253402300799);  // the last that JSON can say
    row.mutable_took()->set_seconds(-1);
    row.add_seen()->set_nanos(1);
    columns.check(row);
    row.mutable_at()->set_seconds(253402300800);
    EXPECT_THROW(columns.check(row), InvalidArgument);
    row.clear_at();
    row.mutable_took()->set_nanos(1);  // of another sign
    EXPECT_THROW(columns.check(row), InvalidArgument);
    row.clear_took();
    row.add_seen()->set_nanos(-1);
    EXPECT_THROW(columns.check(row), InvalidArgument);
    row.clear_seen();
    row.mutable_anything();  // of no kind
    EXPECT_THROW(columns.check(row), InvalidArgument);
    row.clear_anything();
    HasTimes::Nested* deep = row.mutable_nested();
    for (int depth = 0; depth < 100; ++depth) deep = deep->mutable_nested();
    EXPECT_THROW(columns.check(row), InvalidArgument);
}

TEST(ARow, IsWrittenToBeCheckedOnlyWhereItsTypeSaysSo) {
    const auto may_fail = [](const google::protobuf::Descriptor& message, const char* field) {
        return json_may_fail(*message.FindFieldByName(field));
    };
    for (const char* field : {"k", "l", "m", "n"}) {
        EXPECT_FALSE(may_fail(*EveryKind::descriptor(), field)) << field;
    }
    for (const char* field : {"at", "took", "seen", "anything", "nested"}) {
        EXPECT_TRUE(may_fail(*HasTimes::descriptor(), field)) << field;
    }
}

TEST(ARow, IsReadWithoutWhatAnotherVersionPutIntoItsMessages) {
    const auto& field = *HasTimes::descriptor()->FindFieldByName("nested");
    const std::string json = R"({"nested":{},"since":"their next version"})";
    HasTimes row;
    EXPECT_THROW(set_field_json(row, field, json, Unknown::refused), Mismatch);
    set_field_json(row, field, json, Unknown::left_out);
    EXPECT_TRUE(row.nested().has_nested());
}

TEST(ARow, IsReadAsFarAsTwoVersionsAgree) {
    const RowColumns old{*test::projections::CartRow::descriptor()};
    const RowColumns now{*test::projections::CartRow2::descriptor()};
    EXPECT_EQ(now.known_in(old.describe()), (std::vector<bool>{true, true, false}));
    EXPECT_NE(now.lacking_in(old.describe()).find("no column"), std::string::npos);
    EXPECT_EQ(now.lacking_in(now.describe()), "");
}

TEST(TheNamesOfAPlace, StandBesideTheStore) {
    const PlaceNames sqlite{"sqlite:/data/shop.db"};
    EXPECT_EQ(sqlite.catalogue(), "/data/shop.views.db");
    EXPECT_EQ(sqlite.generation("carts", 3), "/data/shop.views/carts.g3.db");
    EXPECT_EQ(sqlite.generation_url("carts", 3), "sqlite:/data/shop.views/carts.g3.db");
    const PlaceNames postgres{"postgresql://me:secret@db/shop?schema=shop&sslmode=off"};
    EXPECT_EQ(postgres.catalogue(), "shop_views");
    EXPECT_EQ(postgres.generation("carts", 12), "shop_views_carts_g12");
    EXPECT_EQ(postgres.generation_url("carts", 12),
              "postgresql://me:secret@db/shop?schema=shop_views_carts_g12&sslmode=off");
    EXPECT_THROW(PlaceNames{"postgresql://db/shop"}, InvalidArgument);
    EXPECT_THROW(PlaceNames{"mysql://db/shop"}, InvalidArgument);
    EXPECT_THROW(PlaceNames{"sqlite::memory:"}, InvalidArgument);
}

TEST(TheNamesOfAPlace, StayApartWhenTheyWouldBeCut) {
    const PlaceNames names{"postgresql://db/shop?schema=" + std::string(60, 'a')};
    const std::string one = names.generation("carts", 1), two = names.generation("carts", 2);
    EXPECT_LE(one.size(), 63U);
    EXPECT_NE(one, two);
}

TEST(AViewsName, IsFitForTablesFilesAndSchemas) {
    ViewDefinition view;
    view.version = 1;
    for (const char* name : {"", "Carts", "1carts", "a-b", "a\"b", "../x"}) {
        view.name = name;
        EXPECT_THROW(check_definition(view), InvalidArgument) << name;
    }
    view.name = std::string(41, 'a');
    EXPECT_THROW(check_definition(view), InvalidArgument);
    view.name = "sales_by_month_2";
    check_definition(view);
    view.version = 0;
    EXPECT_THROW(check_definition(view), InvalidArgument);
}

}  // namespace
}  // namespace recount::projections
