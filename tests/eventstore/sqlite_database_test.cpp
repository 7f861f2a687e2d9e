#include <recount/core/error.hpp>
#include <recount/eventstore/sql.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sqlite_connection.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::ThrowsMessage;

class SqliteDatabaseInAFolder : public testing::Test {
protected:
    std::unique_ptr<Database> open(const DatabaseOptions& options = {}) {
        return Database::open("sqlite:" + folder_.file("view.db"), options);
    }

    /// One statement in a transaction of its own.
    template <class... Argument>
    SqlResult run(const std::string& sql, const Argument&... argument) {
        auto transaction = database_->begin(SqlMode::write);
        SqlResult result = transaction->query(sql, argument...);
        transaction->commit();
        return result;
    }

    TemporaryFolder folder_;
    std::unique_ptr<Database> database_ = open();
};

TEST_F(SqliteDatabaseInAFolder, BindsArgumentsByNumberNotByAppearance) {
    const SqlResult result = run("select $2, $1, $2", "first", 2);
    EXPECT_EQ(result.integer(0, 0), 2);
    EXPECT_EQ(result.text(0, 1), "first");
    EXPECT_EQ(result.integer(0, 2), 2);
}

TEST_F(SqliteDatabaseInAFolder, KeepsEachKindOfValue) {
    run("create table t (a, b, c, d, e)");
    const std::string bytes("\0\xff\x01", 3);
    const std::string text("a\0\xc3\xbc", 4);
    run("insert into t values ($1, $2, $3, $4, $5)", std::int64_t{1} << 62, 0.5, text, Bytes{bytes},
        nullptr);
    const SqlResult row = run("select * from t");
    EXPECT_THAT(row.columns, ElementsAre("a", "b", "c", "d", "e"));
    EXPECT_EQ(row.integer(0, 0), std::int64_t{1} << 62);
    EXPECT_EQ(row.real(0, 1), 0.5);
    EXPECT_EQ(row.text(0, 2), text);
    EXPECT_EQ(row.bytes(0, 3), bytes);
    EXPECT_TRUE(row.null(0, 4));
    EXPECT_THROW((void)row.text(0, 0), Error);
    EXPECT_THROW((void)row.integer(0, 4), Error);
    EXPECT_THROW((void)row.integer(1, 0), Error);
}

TEST_F(SqliteDatabaseInAFolder, KeepsEmptyTextAndBytesApartFromNull) {
    run("create table t (a, b, c)");
    run("insert into t values ($1, $2, $3)", "", Bytes{}, std::optional<int>{});
    const SqlResult row = run("select typeof(a), typeof(b), typeof(c) from t");
    EXPECT_EQ(row.text(0, 0), "text");
    EXPECT_EQ(row.text(0, 1), "blob");
    EXPECT_EQ(row.text(0, 2), "null");
}

TEST_F(SqliteDatabaseInAFolder, SaysWhichArgumentsAreMissingOrMisnamed) {
    EXPECT_THAT([&] { run("select $1, $3", 1, 2); },
                ThrowsMessage<Error>(HasSubstr("needs 3 arguments and was given 2")));
    EXPECT_THAT([&] { run("select ?", 1); }, ThrowsMessage<Error>(HasSubstr("$1")));
    EXPECT_THAT([&] { run("select :name", 1); }, ThrowsMessage<Error>(HasSubstr("$1")));
    EXPECT_THAT([&] { run("select 1; select 2"); }, ThrowsMessage<Error>(HasSubstr("one SQL")));
}

TEST_F(SqliteDatabaseInAFolder, CountsTheRowsAStatementChanged) {
    EXPECT_EQ(run("create table t (a)").affected, 0);
    EXPECT_EQ(run("insert into t values (1), (2), (3)").affected, 3);
    EXPECT_EQ(run("select * from t").affected, 0);
    EXPECT_EQ(run("update t set a = 5 where a > 1").affected, 2);
    EXPECT_EQ(run("delete from t where a = 9").affected, 0);
}

TEST_F(SqliteDatabaseInAFolder, UndoesWhatWasNotCommitted) {
    run("create table t (a)");
    {
        auto transaction = database_->begin(SqlMode::write);
        transaction->exec("insert into t values (1)");
    }
    EXPECT_TRUE(run("select * from t").empty());
    auto transaction = database_->begin(SqlMode::write);
    transaction->commit();
    EXPECT_THROW(transaction->exec("insert into t values (1)"), Error);
    EXPECT_THROW(transaction->commit(), Error);
}

TEST_F(SqliteDatabaseInAFolder, HasOneOpenTransaction) {
    const auto transaction = database_->begin(SqlMode::snapshot);
    EXPECT_THAT([&] { database_->begin(SqlMode::snapshot); },
                ThrowsMessage<Error>(HasSubstr("has an open transaction")));
}

TEST_F(SqliteDatabaseInAFolder, ReadsOneStateThroughoutASnapshot) {
    run("create table t (a)");
    const auto other = open({.read_only = true});
    const auto snapshot = other->begin(SqlMode::snapshot);
    EXPECT_EQ(snapshot->query("select count(*) from t").integer(0, 0), 0);
    run("insert into t values (1)");
    EXPECT_EQ(snapshot->query("select count(*) from t").integer(0, 0), 0);
}

TEST_F(SqliteDatabaseInAFolder, WaitsForALockNoLongerThanAllowed) {
    const auto holder = database_->begin(SqlMode::write);
    const auto other = open({.timeout = std::chrono::milliseconds{20}});
    try {
        other->begin(SqlMode::write);
        FAIL() << "two writers at a time";
    } catch (const Unavailable& error) {
        EXPECT_TRUE(error.retryable());
        EXPECT_THAT(error.what(), HasSubstr("view.db"));
    }
}

TEST_F(SqliteDatabaseInAFolder, WritesNothingWhenOpenedToRead) {
    run("create table t (a)");
    const auto reader = open({.read_only = true});
    const auto transaction = reader->begin(SqlMode::snapshot);
    EXPECT_THROW(transaction->exec("insert into t values (1)"), Error);
}

TEST_F(SqliteDatabaseInAFolder, HasTheSettingsItPromises) {
    const auto setting = [](Database& database, const std::string& name) {
        return database.begin(SqlMode::snapshot)->query("pragma " + name).rows.at(0).at(0);
    };
    EXPECT_EQ(setting(*database_, "journal_mode"), SqlValue{"wal"});
    EXPECT_EQ(setting(*database_, "synchronous"), SqlValue{std::int64_t{2}});
    EXPECT_EQ(setting(*database_, "foreign_keys"), SqlValue{std::int64_t{1}});
    EXPECT_EQ(setting(*open({.durable = false}), "synchronous"), SqlValue{std::int64_t{1}});
    EXPECT_EQ(setting(*open({.read_only = true}), "wal_autocheckpoint"), SqlValue{std::int64_t{0}});
}

TEST_F(SqliteDatabaseInAFolder, ChangesNothingInATransactionThatReads) {
    for (const char* sql : {"create table other (n bigint)", "pragma user_version = 9",
                            "pragma journal_mode(delete)"}) {
        EXPECT_THROW(database_->begin(SqlMode::snapshot)->exec(sql), InvalidArgument) << sql;
    }
    EXPECT_EQ(database_->begin(SqlMode::snapshot)->query("pragma user_version").integer(0, 0), 0);
}

TEST_F(SqliteDatabaseInAFolder, PutsRowsInPlaceOfThoseWithTheSameKey) {
    auto sql = database_->begin(SqlMode::write);
    sql->script("create table \"odd \"\"name\" (k text primary key, n bigint, b bytea);");
    const RowsWrite rows{"odd \"name",
                         {"k", "n", "b"},
                         {"text", "bigint", "bytea"},
                         {"k"},
                         {{"a", std::int64_t{1}, Bytes{"x"}}, {"b", std::int64_t{2}, SqlValue{}}}};
    sql->write(rows);
    RowsWrite again = rows;
    again.rows = {{"b", std::int64_t{3}, Bytes{"y"}}, {"c", std::int64_t{4}, SqlValue{}}};
    sql->write(again);
    const std::vector<std::string> columns{"n", "k"};
    const std::vector<std::string> keys{"c", "b", "never"};
    const SqlResult read = sql->read("odd \"name", columns, "k", keys);
    ASSERT_THAT(read.rows, SizeIs(2));
    EXPECT_EQ(read.integer(0, 0), 4);
    EXPECT_EQ(read.integer(1, 0), 3);
    sql->remove("odd \"name", "k", keys);
    EXPECT_EQ(sql->query("select k from \"odd \"\"name\"").rows,
              (std::vector<std::vector<SqlValue>>{{"a"}}));
    EXPECT_THAT(sql->read("odd \"name", columns, "k", keys).columns, ElementsAre("n", "k"));
    again.rows = {{"b"}};
    EXPECT_THROW(sql->write(again), Error);
}

TEST_F(SqliteDatabaseInAFolder, InsertsPlainlyWithoutAKey) {
    auto sql = database_->begin(SqlMode::write);
    sql->script("create table t (k text primary key); create table u (k text primary key);");
    const RowsWrite rows{"t", {"k"}, {"text"}, {}, {{"a"}}};
    sql->write(rows);
    EXPECT_THROW(sql->write(rows), Error);
    const RowsWrite keys_only{"u", {"k"}, {"text"}, {"k"}, {{"a"}}};
    sql->write(keys_only);
    sql->write(keys_only);
}

TEST_F(SqliteDatabaseInAFolder, SurvivesAStatementThatFails) {
    run("create table t (a integer not null)");
    auto sql = database_->begin(SqlMode::write);
    sql->exec("insert into t values (1)");
    EXPECT_THROW(sql->exec("insert into t values ($1)", nullptr), Error);
    EXPECT_THROW(sql->exec("no sql at all"), Error);
    sql->exec("insert into t values ($1)", 2);
    sql->commit();
    EXPECT_EQ(run("select sum(a) from t").integer(0, 0), 3);
}

/// As it does by itself when the disk is full or fails.
TEST_F(SqliteDatabaseInAFolder, WritesNothingBehindATransactionThatSqliteHasUndone) {
    run("create table t (a integer primary key)");
    auto sql = database_->begin(SqlMode::write);
    sql->exec("insert into t values (1)");
    EXPECT_THROW(sql->exec("insert or rollback into t values (1)"), Error);
    EXPECT_THROW(sql->exec("insert into t values (2)"), Unavailable);
    EXPECT_THROW(sql->exec("insert into t values (3)"), Unavailable);
    EXPECT_THROW(sql->commit(), Unavailable);
    sql.reset();
    EXPECT_EQ(run("select count(*) from t").integer(0, 0), 0);
    run("insert into t values (4)");
    EXPECT_EQ(run("select a from t").integer(0, 0), 4);
}

TEST_F(SqliteDatabaseInAFolder, FollowsAChangeOfTheSchema) {
    run("create table t (a)");
    EXPECT_THAT(run("select * from t").columns, SizeIs(1));
    run("alter table t add column b");
    EXPECT_THAT(run("select * from t").columns, SizeIs(2));
}

TEST(ASqliteStatement, TakesAnEmptyViewForAnEmptyValue) {
    sqlite::Connection connection{":memory:", {}};
    const auto statement = connection.prepare("select typeof(?), typeof(?)");
    statement->bind_text(1, std::string_view{});
    statement->bind_bytes(2, std::string_view{});
    ASSERT_TRUE(statement->step());
    EXPECT_EQ(statement->text(0), "text");
    EXPECT_EQ(statement->text(1), "blob");
}

TEST(SqliteDatabaseInMemory, Works) {
    const auto database = Database::open("sqlite::memory:");
    auto sql = database->begin(SqlMode::write);
    sql->exec("create table t (a)");
    sql->commit();
    EXPECT_EQ(database->name(), "sqlite::memory:");
    EXPECT_EQ(database->dialect(), SqlDialect::sqlite);
}

TEST(ADatabaseUrl, IsRefusedWithWhatToDo) {
    const TemporaryFolder folder;
    EXPECT_THROW(Database::open("mysql://user:secret@host/db"), InvalidArgument);
    EXPECT_THROW(Database::open("sqlite:"), InvalidArgument);
    EXPECT_THROW(Database::open("sqlite:" + folder.file("missing/view.db")), InvalidArgument);
    EXPECT_THROW(Database::open("sqlite:" + folder.path().string()), InvalidArgument);
    EXPECT_THROW(Database::open("sqlite:" + folder.file("no.db"), {.create = false}), Mismatch);
    EXPECT_THROW(Database::open("sqlite:" + folder.file("no.db"), {.read_only = true}), Mismatch);
    EXPECT_THAT([] { Database::open("mysql://user:secret@host/db"); },
                ThrowsMessage<Error>(testing::Not(HasSubstr("secret"))));
    std::ofstream{folder.file("text.db")} << std::string(4096, 'x');
    EXPECT_THROW(Database::open("sqlite:" + folder.file("text.db")), Mismatch);
}

}  // namespace
}  // namespace recount::test
