#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/postgres/own_schema.hpp"
#include "support/eventually.hpp"
#include "support/tcp_proxy.hpp"

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string nul{"a\0b", 3};

class OpenDatabase : public testing::Test {
protected:
    OpenDatabase() : database_(Database::open(schema_.url())) {
        const auto transaction = database_->begin(SqlMode::write);
        transaction->script(
            "create table row (key text primary key, n bigint, r double precision, b bytea)");
        transaction->commit();
    }

    static RowsWrite rows(std::vector<std::vector<SqlValue>> values) {
        return {.table = "row",
                .columns = {"key", "n", "r", "b"},
                .types = {"text", "bigint", "double precision", "bytea"},
                .key = {"key"},
                .rows = std::move(values)};
    }

    OwnSchema schema_;
    std::unique_ptr<Database> database_;
};

TEST_F(OpenDatabase, KeepsValuesOfEveryTypeAsTheyAre) {
    const auto transaction = database_->begin(SqlMode::write);
    const std::string text = "'; drop table row; -- \xf0\x9f\x9b\x92 $1 \\";
    transaction->exec("insert into row values ($1, $2, $3, $4)", text, -7, 0.1, Bytes{nul});
    transaction->exec("insert into row (key) values ($1)", "empty");
    const auto result = transaction->query("select key, n, r, b from row order by n nulls last");
    EXPECT_EQ(result.text(0, 0), text);
    EXPECT_EQ(result.integer(0, 1), -7);
    EXPECT_EQ(result.real(0, 2), 0.1);
    EXPECT_EQ(result.bytes(0, 3), nul);
    for (std::size_t column = 1; column < 4; ++column) EXPECT_TRUE(result.null(1, column));
}

TEST_F(OpenDatabase, BindsArgumentsByNumber) {
    const auto transaction = database_->begin(SqlMode::write);
    const auto result = transaction->query("select $2::bigint, $1::text", "one", 2);
    EXPECT_EQ(result.integer(0, 0), 2);
    EXPECT_EQ(result.text(0, 1), "one");
}

TEST_F(OpenDatabase, ReadsTypesThatItDoesNotSend) {
    const auto transaction = database_->begin(SqlMode::snapshot);
    const auto result = transaction->query(
        "select sum(n)::numeric, date '2010-12-01', true, 7::smallint, 1.5::numeric, "
        "'\\x00ff'::bytea "
        "from (values (2::bigint), (3)) v (n)");
    EXPECT_EQ(result.integer(0, 0), 5);
    EXPECT_EQ(result.text(0, 1), "2010-12-01");
    EXPECT_EQ(result.integer(0, 2), 1);
    EXPECT_EQ(result.integer(0, 3), 7);
    EXPECT_EQ(result.real(0, 4), 1.5);
    EXPECT_EQ(result.bytes(0, 5), (std::string{"\0\xff", 2}));
}

TEST_F(OpenDatabase, WritesManyRowsAndReplacesThoseWithTheSameKey) {
    const auto transaction = database_->begin(SqlMode::write);
    std::vector<std::vector<SqlValue>> many;
    for (std::int64_t i = 0; i < 12'345; ++i) {
        many.push_back({"k" + std::to_string(i), i, SqlValue{}, Bytes{nul}});
    }
    transaction->write(rows(many));
    transaction->write(rows({{std::string{"k7"}, std::int64_t{-7}, 2.5, SqlValue{}}}));
    EXPECT_EQ(transaction->query("select count(*) from row").integer(0, 0), 12'345);
    const std::vector<std::string> columns{"key", "n", "r"};
    const std::vector<std::string> keys{"k7", "k8", "k99999"};
    const auto found = transaction->read("row", columns, "key", keys);
    ASSERT_EQ(found.size(), 2);
    const std::size_t seven = found.text(0, 0) == "k7" ? 0 : 1;
    EXPECT_EQ(found.integer(seven, 1), -7);
    EXPECT_EQ(found.real(seven, 2), 2.5);
    transaction->remove("row", "key", keys);
    EXPECT_EQ(transaction->query("select count(*) from row").integer(0, 0), 12'343);
}

TEST_F(OpenDatabase, RefusesTextAndNamesThatItCannotKeep) {
    const auto transaction = database_->begin(SqlMode::write);
    EXPECT_THROW(transaction->exec("insert into row (key) values ($1)", nul), InvalidArgument);
    auto write = rows({{std::string{"k"}, SqlValue{}, SqlValue{}, SqlValue{}}});
    write.columns[1] = "n\"; drop table row; --";
    EXPECT_THROW(transaction->write(write), InvalidArgument);
    write.columns[1] = "n";
    write.rows[0][1] = std::string{"text in a column of numbers"};
    EXPECT_THROW(transaction->write(write), InvalidArgument);
}

TEST_F(OpenDatabase, QuotesNoValueInAnError) {
    const auto transaction = database_->begin(SqlMode::snapshot);
    try {
        transaction->query("select $1::text::integer", "4111-CANARY");
        ADD_FAILURE() << "text was taken for a number";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("22P02"), Not(HasSubstr("CANARY"))));
    }
}

TEST_F(OpenDatabase, RollsBackWhatIsNotCommitted) {
    database_->begin(SqlMode::write)->exec("insert into row (key) values ('a')");
    EXPECT_TRUE(database_->begin(SqlMode::snapshot)->query("select 1 from row").empty());
}

TEST_F(OpenDatabase, DoesNotCallARolledBackTransactionCommitted) {
    const auto transaction = database_->begin(SqlMode::write);
    EXPECT_THROW(transaction->exec("select 1 from missing"), Error);
    EXPECT_THROW(transaction->commit(), Error);
}

TEST_F(OpenDatabase, HasOneTransactionAtATime) {
    const auto transaction = database_->begin(SqlMode::write);
    EXPECT_THROW(database_->begin(SqlMode::write), Error);
}

TEST_F(OpenDatabase, ReadsOneStateInASnapshotAndWritesNothing) {
    const auto other = Database::open(schema_.url());
    const auto snapshot = database_->begin(SqlMode::snapshot);
    EXPECT_EQ(snapshot->query("select 1 from row").size(), 0);
    const auto write = other->begin(SqlMode::write);
    write->exec("insert into row (key) values ('a')");
    write->commit();
    EXPECT_EQ(snapshot->query("select 1 from row").size(), 0);
    EXPECT_THROW(snapshot->exec("delete from row"), Error);
}

TEST_F(OpenDatabase, GoesOnAfterATableWasMadeAnew) {
    const auto read = [&] { return database_->begin(SqlMode::write)->query("select * from row"); };
    EXPECT_EQ(read().columns.size(), 4);
    const auto other = Database::open(schema_.url());
    const auto change = other->begin(SqlMode::write);
    change->script("alter table row add column more text");
    change->commit();
    try {
        EXPECT_EQ(read().columns.size(), 5);
    } catch (const Error& error) {
        EXPECT_TRUE(error.retryable()) << error.what();
        EXPECT_EQ(read().columns.size(), 5);
    }
}

TEST_F(OpenDatabase, DoesNotCallAStatementThatNoServerTakesOneToTryAgain) {
    const auto write = database_->begin(SqlMode::write);
    try {
        write->query("select key from row union select key from row for update");
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("0A000"));
        EXPECT_FALSE(error.retryable());
    }
}

TEST_F(OpenDatabase, EndsATransactionThatDoesNothingForTooLong) {
    const auto idle = Database::open(schema_.url(), {.idle = std::chrono::milliseconds{100}});
    auto transaction = idle->begin(SqlMode::write);
    transaction->exec("insert into row (key) values ('a')");
    ASSERT_TRUE(eventually([&] {
        // Only the server's end of the session lets the other one have the key.
        try {
            const auto other =
                Database::open(schema_.url(), {.timeout = std::chrono::milliseconds{300}});
            const auto write = other->begin(SqlMode::write);
            write->exec("insert into row (key) values ('a')");
            return true;
        } catch (const Error&) {
            return false;
        }
    }));
    EXPECT_THROW(transaction->commit(), Unavailable) << "nothing was committed, and that is known";
    transaction.reset();
    EXPECT_TRUE(idle->begin(SqlMode::write)->query("select 1 from row").empty());
}

class LostDatabase : public OpenDatabase {
protected:
    LostDatabase()
        : proxy_(port_of(postgres_url())),
          lost_(Database::open(proxy_.url_through(schema_.url()))) {}

    TcpProxy proxy_;
    std::unique_ptr<Database> lost_;
};

TEST_F(LostDatabase, IsNotReachedAgainWithinATransaction) {
    auto transaction = lost_->begin(SqlMode::write);
    transaction->exec("insert into row (key) values ('a')");
    proxy_.cut_all();
    ASSERT_TRUE(eventually([&] { return proxy_.cut(); }));
    EXPECT_THROW(transaction->exec("insert into row (key) values ('b')"), Unavailable);
    EXPECT_THROW(transaction->exec("insert into row (key) values ('c')"), Unavailable);
    EXPECT_THROW(transaction->commit(), Unavailable);
    transaction.reset();
    const auto next = lost_->begin(SqlMode::write);
    EXPECT_TRUE(next->query("select 1 from row").empty()) << "and in the same schema";
    EXPECT_EQ(next->query("show synchronous_commit").text(0, 0), "on");
}

TEST_F(LostDatabase, LeavesTheOutcomeOpenWhenItIsLostInTheCommit) {
    for (const auto harm : {TcpProxy::Harm::cut_before, TcpProxy::Harm::cut_reply}) {
        auto transaction = lost_->begin(SqlMode::write);
        transaction->exec("insert into row (key) values ($1)", static_cast<int>(harm));
        proxy_.harm("commit", harm);
        EXPECT_THROW(transaction->commit(), OutcomeUnknown);
    }
    const auto found = database_->begin(SqlMode::snapshot)->query("select key from row");
    EXPECT_EQ(found.size(), 1) << "one was lost on its way there, one on its way back";
}

TEST(DatabaseAddress, SaysNoSecrets) {
    const std::string secret = "hunter2";
    for (const std::string& url :
         {"postgresql://user:" + secret + "@127.0.0.1:1/db?schema=shop",
          "postgresql://user:" + secret + "/x@127.0.0.1:1/db?schema=shop",
          "postgresql://user@127.0.0.1:1/db?schema=shop&password=" + secret,
          "postgresql://user:" + secret + "@127.0.0.1:1/db?schema=shop&wrong=%zz",
          "postgresql://user:" + secret + "@127.0.0.1:1/db",
          "postgresql://user:" + secret + "@127.0.0.1:1/db?schema=Sho%70"}) {
        try {
            Database::open(url);
            ADD_FAILURE() << "there is no such server";
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), Not(HasSubstr(secret)));
        }
    }
    OwnSchema schema;
    const std::string url = schema.url();
    const std::string password = url.substr(url.find(':', 14) + 1, 6);
    EXPECT_THAT(Database::open(url)->name(), Not(HasSubstr(password)));
    EXPECT_THAT(Database::open(url)->name(), HasSubstr("schema=" + schema.name()));
}

TEST(DatabaseAddress, NeedsASchemaOfAPlainName) {
    const std::string server = postgres_url();
    for (const std::string query : {"", "?schema=", "?schema=Shop", "?schema=1a", "?schema=a-b",
                                    "?schema=pg_x", "?schema=a%22b", "?schema=one&schema=two"}) {
        EXPECT_THROW(Database::open(server + query), InvalidArgument) << query;
    }
    EXPECT_THROW(Database::open(server + "?schema=" + unique_name("none_"), {.create = false}),
                 Mismatch);
}

}  // namespace
}  // namespace recount::test
