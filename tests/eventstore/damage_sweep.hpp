#pragma once

#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace recount::test {

/// Flips a bit of each byte of a column in one row of a store that is open, past the store, one
/// after the other, and puts it back: each must be named by the position `named`, by whoever reads
/// the log (unless the log's readers do not look at it) and by whoever verifies it.
struct DamageSweep {
    EventStore& store;
    Database& database;
    std::string table;
    std::int64_t position;  // of the row, in table and log
    Partition partition;
    std::string named;
    bool read = true;
    bool chained = true;  // the chain covers it, of events that a reader leaves out, too

    /// Returns how many bytes there were.
    std::size_t column(const std::string& name) {
        const std::string whole = get(name);
        for (std::size_t i = 0; i < whole.size(); ++i) {
            std::string damaged = whole;
            damaged[i] = static_cast<char>(damaged[i] ^ 1 << i % 8);
            set(name, damaged);
            const std::string where = table + "." + name + ", byte " + std::to_string(i);
            expect_named(where + " verified", [&] { store.verify_chain(); });
            if (read) expect_named(where + " read", [&] { store.read(partition, 0); });
            if (read) {
                const ReadLog all{.filter = {.categories = {"cart"}}};
                expect_named(where + " taken", [&] { store.read(partition, 0, all); });
            }
            if (read && chained) {
                const ReadLog none{.filter = {.categories = {"stock"}, .types = {"x", "y"}}};
                expect_named(where + " left out", [&] { store.read(partition, 0, none); });
            }
        }
        set(name, whole);
        EXPECT_NO_THROW(store.verify_chain());
        return whole.size();
    }

    template <class Read>
    void expect_named(const std::string& what, const Read& look) {
        try {
            look();
            ADD_FAILURE() << what << ": the damage was not noticed";
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr(named)) << what;
            EXPECT_FALSE(error.retryable()) << what;
        }
    }

    std::string get(const std::string& name) {
        return database.begin(SqlMode::snapshot)
            ->query("select " + name + " from " + table + " where partition = $1 and position = $2",
                    partition.value, position)
            .bytes(0, 0);
    }

    void set(const std::string& name, const std::string& value) {
        const auto transaction = database.begin(SqlMode::write);
        transaction->exec(
            "update " + table + " set " + name + " = $1 where partition = $2 and position = $3",
            Bytes{value}, partition.value, position);
        transaction->commit();
    }

    /// The second of three events of one stream, and the head behind them, in a store of its own.
    static void run(const std::string& url) {
        const auto store = open_store(url);
        const StreamName stream = StreamName::parse("cart-1");
        const Partition partition = partition_of("cart-1", store->identity().partitions);
        Append append;
        append.metadata = {.command_id = "id", .headers = {{"who", "somebody"}}};
        append.writes.push_back({stream, Expected::any(), {}});
        for (const char* payload : {"first", "second", "third"}) {
            append.writes.front().events.push_back({"test.Happened", payload, "plain"});
        }
        append.request = request_hash(append);
        store->append(append);
        const auto database = Database::open(url);
        const std::string place = std::to_string(partition.value) + ":";
        DamageSweep event{*store, *database, "event", 2, partition, place + "2"};
        EXPECT_GT(event.column("envelope"), 100U);
        EXPECT_EQ(event.column("hash"), 32U);
        event.chained = false;
        EXPECT_EQ(event.column("salt"), 16U);
        EXPECT_EQ(event.column("payload"), 6U);
        DamageSweep head{*store, *database, "partition", 3, partition, place + "3", false};
        EXPECT_EQ(head.column("hash"), 32U);
    }
};

}  // namespace recount::test
