#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/eventstore.hpp>

#include <algorithm>
#include <cstdlib>

#include "places.hpp"
#include "printed.hpp"
#include "tools_test.pb.h"

namespace recount {
namespace {

using test::Printed;
using test::run;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// A store with three events in two streams.
class ShopStore : public testing::Test {
protected:
    ShopStore() {
        const auto store = open_store(url_);
        append(*store, "cart-1", "c-1", 2);
        append(*store, "stock-mug", "c-2", 1);
    }

    static void append(EventStore& store, const char* stream, const char* command_id, int events) {
        Append one;
        one.metadata.command_id = command_id;
        one.writes.push_back({StreamName::parse(stream), Expected::any(), {}});
        for (int i = 0; i < events; ++i) {
            tools_test::Added added;
            added.set_sku("mug");
            added.set_quantity(i + 1);
            one.writes.back().events.push_back(new_event(added));
        }
        one.request = request_hash(one);
        ASSERT_EQ(store.append(one).kind, AppendResult::Kind::committed);
    }

    const test::TemporaryFolder folder_;
    const std::string url_ = test::new_place(folder_);
};

TEST_F(ShopStore, ShowsAStreamAsJsonFromStoredDescriptors) {
    const Printed printed = run({"stream", "show", "--store", url_, "cart-1", "--json"});
    ASSERT_EQ(printed.code, 0) << printed.err;
    const auto lines = printed.lines();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[1]["version"], 2);
    EXPECT_EQ(lines[1]["type"], "tools_test.Added");
    EXPECT_EQ(lines[1]["payload"]["sku"], "mug");
    EXPECT_EQ(lines[1]["payload"]["quantity"], "2");  // as proto3 JSON has 64-bit integers
    EXPECT_EQ(lines[1]["command_id"], "c-1");
}

TEST_F(ShopStore, IsTheOneThatIsNamedWhateverTheEnvironmentSays) {
    const test::TemporaryFolder other;
    const std::string healthy = "sqlite:" + other.file("healthy.db");
    append(*open_store(healthy), "cart-1", "c-1", 7);
    setenv("RECOUNT_STORE", healthy.c_str(), 1);
    EXPECT_EQ(run({"stream", "show", "--store", url_, "cart-1", "--json"}).lines().size(), 2U);
    EXPECT_EQ(run({"log", "show", "--store", url_, "--json"}).lines().size(), 3U);
    EXPECT_EQ(run({"stream", "close", "--store", url_, "cart-1"}).code, 0);
    EXPECT_EQ(run({"store", "declare-restored", "--store", url_}).code, 0);
    EXPECT_EQ(run({"store", "status", "--store", "", "--json"}).code, 2);
    EXPECT_EQ(run({"stream", "show", "cart-1", "--json"}).lines().size(), 7U);
    unsetenv("RECOUNT_STORE");
    EXPECT_EQ(open_store(healthy)->incarnations().size(), 1U);
    EXPECT_TRUE(open_store(url_)->read_stream(StreamName::parse("cart-1")).closed);
    const Printed nowhere = run({"stream", "show", "cart-1"});
    EXPECT_EQ(nowhere.code, 2);
    EXPECT_THAT(nowhere.err, HasSubstr("--store is required"));
}

TEST_F(ShopStore, IsCheckedAndWhatThereIsToBeWarnedOfIsSaid) {
    const std::vector<std::string> expected = open_store(url_)->warnings();
    const Printed plain = run({"store", "check", "--store", url_});
    EXPECT_EQ(plain.code, 0) << plain.err;
    EXPECT_THAT(plain.out, StartsWith("ok: "));
    const Printed json = run({"store", "check", "--store", url_, "--json"});
    ASSERT_EQ(json.code, 0) << json.err;
    EXPECT_EQ(json.lines().at(0)["warnings"].get<std::vector<std::string>>(), expected);
    for (const std::string& each : expected) {
        EXPECT_THAT(plain.out, HasSubstr("warning: " + each + "\n"));
    }
}

TEST_F(ShopStore, ClosesAStreamAndShowsIt) {
    for (int i = 0; i < 2; ++i) {
        const Printed closed =
            run({"stream", "close", "--store", url_, "cart-1", "--reason", "settled", "--json"});
        ASSERT_EQ(closed.code, 0) << closed.err;
        EXPECT_EQ(closed.lines()[0]["version"], 3);
        EXPECT_EQ(closed.lines()[0]["closed"], true);
    }
    const Printed list = run({"stream", "list", "--store", url_});
    EXPECT_NE(list.out.find("cart-1  3 events, closed"), std::string::npos) << list.out;
    EXPECT_NE(list.out.find("stock-mug  1 events\n"), std::string::npos) << list.out;
    const Printed shown = run({"stream", "show", "--store", url_, "cart-1"});
    EXPECT_NE(shown.out.find("closed at version 3"), std::string::npos) << shown.out;
    EXPECT_EQ(run({"stream", "close", "--store", url_, "cart-9"}).code, 2);
}

TEST_F(ShopStore, ErasesWhatEventsSaid) {
    const auto erase = [&](const char* from, const char* to) {
        return run(
            {"stream", "erase", "--store", url_, "cart-1", "--from", from, "--to", to, "--json"});
    };
    EXPECT_EQ(erase("1", "3").code, tools::bad_usage) << "there are two";
    EXPECT_EQ(erase("2", "1").code, tools::bad_usage);
    const Printed erased = erase("1", "1");
    ASSERT_EQ(erased.code, 0) << erased.err;
    EXPECT_EQ(erased.lines()[0]["erased"], 1);
    EXPECT_EQ(erase("1", "1").lines().at(0)["erased"], 0);
    const auto store = open_store(url_, {.read_only = true});
    const auto events = store->read_stream(StreamName::parse("cart-1")).events;
    EXPECT_TRUE(events.at(0).erased());
    EXPECT_FALSE(events.at(1).erased());
}

TEST_F(ShopStore, ShowsTheLogFilteredByCategory) {
    const Printed printed = run({"log", "show", "--store", url_, "--category", "stock", "--json"});
    ASSERT_EQ(printed.code, 0) << printed.err;
    ASSERT_EQ(printed.lines().size(), 1U);
    EXPECT_EQ(printed.lines()[0]["stream"], "stock-mug");
    EXPECT_EQ(run({"log", "show", "--store", url_, "--json"}).lines().size(), 3U);
}

TEST_F(ShopStore, ShowsTheLogOfAPartitionBehindAPosition) {
    const auto all = run({"log", "show", "--store", url_, "--json"}).lines();
    const std::string partition = std::to_string(all[0]["partition"].get<int>());
    const auto behind = [&](const char* position) {
        return run({"log", "show", "--store", url_, "--json", "--partition", partition, "--after",
                    position})
            .lines()
            .size();
    };
    EXPECT_EQ(behind("1") + 1, behind("0"));
    const Printed of_all = run({"log", "show", "--store", url_, "--after", "1"});
    EXPECT_EQ(of_all.code, tools::bad_usage) << "a position is of one partition";
    EXPECT_THAT(of_all.err, HasSubstr("--partition"));
}

TEST_F(ShopStore, HasNoLogOfAPartitionThatThereIsNot) {
    for (const char* command : {"show", "tail"}) {
        const Printed printed = run({"log", command, "--store", url_, "--partition", "99"});
        EXPECT_EQ(printed.code, tools::bad_usage);
        EXPECT_THAT(printed.err, HasSubstr("partition 99 of 16; they count from 0"));
    }
}

TEST_F(ShopStore, ShowsTheLogFilteredByType) {
    const auto shown = [&](const char* type, const char* category) {
        return run(
            {"log", "show", "--store", url_, "--type", type, "--category", category, "--json"});
    };
    EXPECT_EQ(shown("tools_test.Added", "cart").lines().size(), 2U);
    EXPECT_THAT(shown("tools_test.Added", "cart").err, IsEmpty());
    EXPECT_EQ(shown("tools_test.Added", "cart-1").code, tools::bad_usage);
}

TEST_F(ShopStore, SaysThatNothingIsOfACategoryOrType) {
    const auto expect_told = [](const Printed& printed, const char* what) {
        EXPECT_EQ(printed.code, tools::ok);
        EXPECT_THAT(printed.out, IsEmpty());
        EXPECT_THAT(printed.err, HasSubstr(what));
    };
    expect_told(run({"stream", "list", "--store", url_, "--category", "carts"}),
                "nothing of category 'carts' in ");
    expect_told(run({"log", "show", "--store", url_, "--category", "carts", "--json"}),
                "nothing of category 'carts' in ");
    expect_told(run({"log", "show", "--store", url_, "--type", "tools_test.Adde"}),
                "nothing of type 'tools_test.Adde' in ");
    expect_told(run({"log", "show", "--store", url_, "--type", "A", "--category", "cart"}),
                "nothing of category 'cart' and of type 'A' in ");
    EXPECT_THAT(run({"stream", "list", "--store", url_, "--category", "cart"}).err, IsEmpty());
}

TEST_F(ShopStore, ShowsWhatAStreamWasUntilATime) {
    const auto all = run({"stream", "show", "--store", url_, "cart-1", "--json"}).lines();
    const std::string then = all.back()["recorded_at"];
    append(*open_store(url_), "cart-1", "c-3", 1);
    run({"stream", "close", "--store", url_, "cart-1"});
    const auto until = [&](const std::string& time) {
        return run({"stream", "show", "--store", url_, "cart-1", "--until", time});
    };
    const Printed shown = until(then);
    ASSERT_EQ(shown.code, 0) << shown.err;
    EXPECT_EQ(std::count(shown.out.begin(), shown.out.end(), '\n'), 2) << shown.out;
    EXPECT_NE(until("9999-01-01T00:00:00Z").out.find("closed at version 4"), std::string::npos);
    EXPECT_EQ(until("1999-01-01T00:00:00Z").out, "");
    EXPECT_EQ(until("yesterday").code, tools::bad_usage);
}

TEST_F(ShopStore, TellsItsStatusAndThatTheChainHolds) {
    const Printed status = run({"store", "status", "--store", url_, "--json"});
    ASSERT_EQ(status.code, 0) << status.err;
    EXPECT_EQ(status.lines()[0]["events"], 3);
    EXPECT_EQ(status.lines()[0]["partitions"], 16);
    EXPECT_EQ(status.lines().size(), 17U);
    const Printed chain = run({"store", "verify-chain", "--store", url_, "--json"});
    ASSERT_EQ(chain.code, 0) << chain.err;
    EXPECT_EQ(chain.lines()[0]["verified"], 3);
}

TEST_F(ShopStore, NamesTheEventWhoseBytesWereChanged) {
    {
        const auto database = Database::open(url_);
        const auto transaction = database->begin(SqlMode::write);
        transaction->exec("update event set payload = salt where version = 2");
        transaction->commit();
    }
    const Printed chain = run({"store", "verify-chain", "--store", url_});
    EXPECT_EQ(chain.code, tools::problem);
    const std::string position = to_string(Position{partition_of("cart-1", 16), 2});
    EXPECT_NE(chain.err.find(position), std::string::npos) << chain.err;
}

TEST_F(ShopStore, IsNotCreatedByLookingAtIt) {
    const test::TemporaryFolder folder;
    const std::string other = test::new_place(folder);
    for (int look = 0; look < 2; ++look) {
        EXPECT_EQ(run({"store", "status", "--store", other}).code, tools::bad_usage);
        EXPECT_EQ(run({"store", "check", "--store", other}).code, tools::bad_usage);
    }
    EXPECT_EQ(run({"store", "init", "--store", other, "--partitions", "4"}).code, 0);
    EXPECT_EQ(run({"store", "status", "--store", other, "--json"}).lines().size(), 5U);
}

TEST_F(ShopStore, ListsStreamsOfACategory) {
    const auto lines = run({"stream", "list", "--store", url_, "--json"}).lines();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0]["stream"], "cart-1");
    EXPECT_EQ(lines[0]["version"], 2);
    const Printed stock = run({"stream", "list", "--store", url_, "--category", "stock"});
    EXPECT_EQ(stock.out, "stock-mug  1 events\n");
    EXPECT_EQ(run({"stream", "list", "--store", url_, "--category", "a-b"}).code, tools::bad_usage);
}

TEST_F(ShopStore, ForgetsWhatBecameOfOldCommands) {
    const Printed kept = run({"store", "maintain", "--store", url_, "--json"});
    ASSERT_EQ(kept.code, 0) << kept.err;
    EXPECT_EQ(kept.lines()[0]["outcomes_removed"], 0);
    for (const char* days : {"0", "0.01"}) {
        const Printed refused =
            run({"store", "maintain", "--store", url_, "--keep-outcomes-days", days});
        EXPECT_EQ(refused.code, tools::bad_usage);
        EXPECT_NE(refused.err.find("an hour at least"), std::string::npos) << refused.err;
    }
}

TEST_F(ShopStore, GoesOnInANewIncarnationOnceARestoreIsDeclared) {
    const Printed declared = run({"store", "declare-restored", "--store", url_, "--json"});
    ASSERT_EQ(declared.code, 0) << declared.err;
    EXPECT_EQ(declared.lines()[0]["events"], 3);
    EXPECT_THAT(declared.err, HasSubstr("nothing in this store shows that it was brought back"));
    const auto status = run({"store", "status", "--store", url_, "--json"}).lines();
    EXPECT_EQ(status[0]["incarnation"], declared.lines()[0]["incarnation"]);
    EXPECT_EQ(status[0]["incarnations"], 2);
    EXPECT_EQ(run({"store", "verify-chain", "--store", url_}).code, 0);
    EXPECT_EQ(run({"store", "declare-restored", "--store", "memory:"}).code, tools::bad_usage);
}

TEST_F(ShopStore, IsDeclaredRestoredWithoutAWordWhenItShowsThatItWas) {
    const auto database = Database::open(url_);
    if (database->dialect() == SqlDialect::sqlite) GTEST_SKIP() << "a file shows nothing";
    const auto transaction = database->begin(SqlMode::write);
    transaction->exec("update incarnation set timeline = timeline + 1");
    transaction->commit();
    const Printed declared = run({"store", "declare-restored", "--store", url_});
    EXPECT_EQ(declared.code, 0) << declared.err;
    EXPECT_THAT(declared.err, IsEmpty());
}

TEST_F(ShopStore, SaysSoWhenAStreamHasNoEvents) {
    const Printed printed = run({"stream", "show", "--store", url_, "cart-404"});
    EXPECT_EQ(printed.code, tools::bad_usage);
    EXPECT_NE(printed.err.find("cart-404"), std::string::npos);
}

TEST(TheProgram, ExplainsItselfAndRefusesWhatItDoesNotKnow) {
    EXPECT_EQ(run({"--help"}).code, 0);
    EXPECT_NE(run({"--help"}).out.find("Exit codes"), std::string::npos);
    EXPECT_EQ(run({"store", "frobnicate"}).code, tools::bad_usage);
    EXPECT_EQ(run({"store", "status", "--store", "mysql://x"}).code, tools::bad_usage);
}

}  // namespace
}  // namespace recount
