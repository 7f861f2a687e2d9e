#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// A schema as version 1 left it: events written by today's code, in the tables, columns and
/// functions of then.
class AStoreOfAnOlderVersion : public testing::Test {
protected:
    AStoreOfAnOlderVersion() {
        {
            const auto store = open_store(today_.url());
            static_cast<void>(store->append(append_to("cart-1", Expected::no_stream(), 2)));
            static_cast<void>(store->append(append_to("cart-2", Expected::no_stream(), 1)));
        }
        const auto database = Database::open(old_.url());
        const auto sql = database->begin(SqlMode::write);
        std::ifstream script{POSTGRES_STORE_0001};
        sql->script(std::string{std::istreambuf_iterator<char>{script}, {}});
        const SqlResult tables = sql->query(
            "select table_name::text, string_agg(column_name::text, ', ') "
            "from information_schema.columns where table_schema = $1 group by table_name",
            old_.name());
        for (std::size_t row = 0; row < tables.size(); ++row) {
            const std::string& name = tables.text(row, 0);
            const std::string& columns = tables.text(row, 1);
            sql->exec("insert into " + name + " (" + columns + ") overriding system value select " +
                      columns + " from \"" + today_.name() + "\"." + name);
        }
        sql->exec("delete from migration where number > 1");
        sql->commit();
    }

    std::int64_t version() {
        const auto database = Database::open(old_.url());
        return database->begin(SqlMode::snapshot)
            ->query("select max(number)::bigint from migration")
            .integer(0, 0);
    }

    OwnSchema today_, old_;
};

TEST_F(AStoreOfAnOlderVersion, IsUpgradedWhenItIsOpenedToBeWritten) {
    EXPECT_EQ(version(), 1);
    const auto store = open_store(old_.url());
    EXPECT_GT(version(), 1);
    const StreamName cart = StreamName::parse("cart-1");
    EXPECT_EQ(store->read_stream(cart).events.size(), 2U);
    EXPECT_FALSE(store->read_stream(cart).closed);
    store->verify_chain();
    static_cast<void>(store->append(append_to("cart-1", Expected::exactly(Version{2}), 1)));
    EXPECT_EQ(store->close_stream(cart).kind, AppendResult::Kind::committed);
    EXPECT_THROW(
        static_cast<void>(open_store(old_.url())->append(append_to("cart-1", Expected::any(), 1))),
        StreamClosed);
    store->verify_chain();
}

TEST_F(AStoreOfAnOlderVersion, IsLeftAsItIsByAReaderOrWhenAnotherOneWasMeant) {
    EXPECT_THAT([&] { open_store(old_.url(), {.read_only = true}); },
                ThrowsMessage<Mismatch>(HasSubstr("open it once to be written")));
    EXPECT_THROW(open_store(old_.url(), {.partitions = 4}), Mismatch);
    EXPECT_EQ(version(), 1);
}

}  // namespace
}  // namespace recount::test
