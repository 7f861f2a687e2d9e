#include <recount/core/error.hpp>

#include <fstream>
#include <iterator>

#include "eventstore/contract/store_contract.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string text_of(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// A file as version 1 of the schema left it: three events, written by today's code, in the tables
/// and columns of then.
class AStoreOfAnOlderVersion : public testing::Test {
protected:
    AStoreOfAnOlderVersion() {
        {
            const auto store = open_store("sqlite:" + folder_.file("today.db"));
            static_cast<void>(
                store->append(make_append("a", {write("cart-1", Expected::any(), 2)})));
            static_cast<void>(store->append(make_append("b", {write("cart-2")})));
        }
        const auto database = Database::open(url_);
        const auto sql = database->begin(SqlMode::write);
        sql->script(text_of(SQLITE_STORE_0001));
        sql->commit();
        copy(*database);
        const auto mark = database->begin(SqlMode::write);
        mark->script("pragma application_id = 1380142676; pragma user_version = 1");
        mark->commit();
    }

    void copy(Database& to) {
        const auto from = Database::open("sqlite:" + folder_.file("today.db"));
        const auto reading = from->begin(SqlMode::snapshot);
        const auto writing = to.begin(SqlMode::write);
        const auto tables = writing->query(
            "select m.name, group_concat(c.name), group_concat('$' || (c.cid + 1)) "
            "from sqlite_schema m join pragma_table_info(m.name) c "
            "where m.type = 'table' group by m.name");
        for (std::size_t t = 0; t < tables.size(); ++t) {
            const std::string& name = tables.text(t, 0);
            const SqlResult rows = reading->query("select " + tables.text(t, 1) + " from " + name);
            for (std::size_t row = 0; row < rows.size(); ++row) {
                writing->run("insert into " + name + " values (" + tables.text(t, 2) + ")",
                             rows.rows.at(row));
            }
        }
        writing->commit();
    }

    std::int64_t version() {
        const auto database = Database::open(url_, {.read_only = true});
        return database->begin(SqlMode::snapshot)->query("pragma user_version").integer(0, 0);
    }

    TemporaryFolder folder_;
    std::string url_ = "sqlite:" + folder_.file("store.db");
};

TEST_F(AStoreOfAnOlderVersion, IsUpgradedWhenItIsOpenedToBeWritten) {
    EXPECT_EQ(version(), 1);
    {
        const auto store = open_store(url_);
        EXPECT_GT(version(), 1);
        EXPECT_EQ(payloads(store->read_stream(stream("cart-1")).events),
                  (std::vector<std::string>{"cart-1/1", "cart-1/2"}));
        EXPECT_FALSE(store->read_stream(stream("cart-1")).closed);
        store->verify_chain();
        EXPECT_EQ(store->append(make_append("a", {write("cart-1", Expected::any(), 2)})).kind,
                  AppendResult::Kind::repeated);
        EXPECT_EQ(store->close_stream(stream("cart-1")).kind, AppendResult::Kind::committed);
    }
    const auto again = open_store(url_);
    EXPECT_THROW(static_cast<void>(again->append(make_append("c", {write("cart-1")}))),
                 StreamClosed);
    again->verify_chain();
}

TEST_F(AStoreOfAnOlderVersion, IsLeftAsItIsByAReader) {
    EXPECT_THAT([&] { open_store(url_, {.read_only = true}); },
                ThrowsMessage<Mismatch>(HasSubstr("open it once to be written")));
    EXPECT_EQ(version(), 1);
}

TEST_F(AStoreOfAnOlderVersion, IsLeftAsItIsWhenAnotherOneWasMeant) {
    EXPECT_THROW(open_store(url_, {.partitions = 4}), Mismatch);
    EXPECT_EQ(version(), 1);
}

}  // namespace
}  // namespace recount::test
