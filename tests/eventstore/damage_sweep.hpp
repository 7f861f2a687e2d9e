#pragma once

#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace recount::test {

/// Flips a bit of each byte of a column in one row of a store that is open, past the store, one
/// after the other, and puts it back: each must be named by `named`, by whoever reads the log
/// (unless the log's readers do not look at it) and by whoever verifies it.
struct DamageSweep {
    EventStore& store;
    Database& database;
    std::string table;
    std::string row;  // a condition
    std::string named;
    std::optional<Partition> partition = {};  // whose readers notice, too
    bool lengths = false;                     // of its blobs may be others
    bool chained = true;  // the chain covers it, of events that a reader leaves out, too

    /// Returns how many bytes there were.
    std::size_t column(const std::string& name) {
        const std::string whole = get(name);
        for (std::size_t i = 0; i < whole.size(); ++i) {
            std::string damaged = whole;
            damaged[i] = static_cast<char>(damaged[i] ^ 1 << i % 8);
            set(name, Bytes{damaged});
            expect_noticed(name + ", byte " + std::to_string(i));
        }
        if (lengths) {
            set(name, Bytes{whole.substr(1)});
            expect_noticed(name + ", without a byte");
        }
        set(name, Bytes{whole});
        EXPECT_NO_THROW(store.verify_chain());
        return whole.size();
    }

    /// The same of a number, from its lowest bit, or a higher one, to its 15th.
    void number(const std::string& name, int lowest = 0) {
        const std::int64_t whole =
            database.begin(SqlMode::snapshot)->query(select(name)).integer(0, 0);
        for (int bit = lowest; bit < 15; ++bit) {
            set(name, whole ^ (std::int64_t{1} << bit));
            expect_noticed(name + ", bit " + std::to_string(bit));
        }
        set(name, whole);
        EXPECT_NO_THROW(store.verify_chain());
    }

    void expect_noticed(const std::string& column) {
        const std::string where = table + "." + column;
        expect_named(where + " verified", [&] { store.verify_chain(); });
        if (!partition) return;
        expect_named(where + " read", [&] { store.read(*partition, 0); });
        const ReadLog all{.filter = {.categories = {"cart"}}};
        expect_named(where + " taken", [&] { store.read(*partition, 0, all); });
        if (!chained) return;
        const ReadLog none{.filter = {.categories = {"stock"}, .types = {"x", "y"}}};
        expect_named(where + " left out", [&] { store.read(*partition, 0, none); });
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

    [[nodiscard]] std::string select(const std::string& name) const {
        return "select " + name + " from " + table + " where " + row;
    }

    std::string get(const std::string& name) {
        return std::string{database.begin(SqlMode::snapshot)->query(select(name)).bytes(0, 0)};
    }

    template <class Value>
    void set(const std::string& name, const Value& value) {
        const auto transaction = database.begin(SqlMode::write);
        EXPECT_EQ(
            transaction->exec("update " + table + " set " + name + " = $1 where " + row, value), 1);
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
        static_cast<void>(store->append(append));
        const auto database = Database::open(url);
        const std::string place = std::to_string(partition.value) + ":";
        const auto row = [&](int position) {
            return "partition = " + std::to_string(partition.value) +
                   " and position = " + std::to_string(position);
        };
        DamageSweep event{*store, *database, "event", row(2), place + "2", partition};
        event.lengths = true;
        EXPECT_GT(event.column("envelope"), 100U);
        EXPECT_EQ(event.column("hash"), 32U);
        event.chained = false;
        EXPECT_EQ(event.column("salt"), 16U);
        EXPECT_EQ(event.column("payload"), 6U);
        event.partition.reset();
        event.number("version", 1);  // there is a third version
        event.number("schema");
        DamageSweep head{*store, *database, "partition", row(3), place + "3"};
        EXPECT_EQ(head.column("hash"), 32U);
        head.number("recorded_at");
        DamageSweep outcome{*store, *database, "outcome", "true", "command id id "};
        EXPECT_GT(outcome.column("bytes"), 100U);
        outcome.number("kind");
        outcome.number("recorded_at");
        static_cast<void>(store->close_stream(stream));
        DamageSweep type{*store, *database, "schema", "type = 'recount.v1.StreamClosed'",
                         "type recount.v1.StreamClosed"};
        EXPECT_GT(type.column("descriptors"), 70U);
        EXPECT_EQ(type.column("fingerprint"), 32U);
    }
};

}  // namespace recount::test
