#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>
#include <recount/core/ids.hpp>
#include <recount/eventstore/sql.hpp>
#include <recount/outbox.hpp>

#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

#include "outbox/kit.hpp"
#include "outbox/message_oracle.hpp"
#include "support/servers.hpp"

namespace recount::test {
namespace {

struct AStoreWithDebeziumsTable : testing::Test {
    /// What the router makes of a row, by its id: key, type, value.
    using Rows = std::map<std::string, std::tuple<std::string, std::string, std::string>>;

    std::string url = postgres_url_with_own_schema();
    std::unique_ptr<EventStore> store = open_store(url, {.partitions = 4});
    KafkaTopic topic = own_message_topic();
    std::unique_ptr<Database> database = Database::open(url);

    void SetUp() override {
        std::ostringstream script;
        script << std::ifstream{DEBEZIUM_SQL}.rdbuf();
        auto sql = database->begin(SqlMode::write);
        sql->script(script.str());
        sql->commit();
    }
    Rows in_table(const std::string& category) {
        auto sql = database->begin(SqlMode::snapshot);
        const auto found = sql->query(
            "select id::text, aggregateid, type, payload from outbox where aggregatetype = $1",
            category);
        Rows rows;
        for (std::size_t row = 0; row < found.size(); ++row) {
            rows[std::string{found.text(row, 0)}] = {std::string{found.text(row, 1)},
                                                     std::string{found.text(row, 2)},
                                                     std::string{found.bytes(row, 3)}};
        }
        EXPECT_EQ(rows.size(), found.size());
        return rows;
    }
    Rows in_topic() {
        Rows rows;
        for (std::int32_t partition = 0; partition < 3; ++partition) {
            for (const auto& record : read_raw(topic, topic.name, partition)) {
                EXPECT_EQ(partition_of(record.key, 3).value, partition);  // as Java does it
                EXPECT_EQ(record.header("ce_id"), record.header("id"));
                rows[record.header("id")] = {record.key, record.header("ce_type"),
                                             record.value.value_or("null")};
            }
        }
        return rows;
    }
    /// For each key the ids, in the order in which Debezium and a consumer see them.
    std::map<std::string, std::vector<std::string>> order_in_table() {
        auto sql = database->begin(SqlMode::snapshot);
        const auto found = sql->query(
            "select aggregateid, id::text from outbox where aggregatetype = 'thing' order by ctid");
        std::map<std::string, std::vector<std::string>> order;
        for (std::size_t row = 0; row < found.size(); ++row) {
            order[std::string{found.text(row, 0)}].emplace_back(found.text(row, 1));
        }
        return order;
    }
    std::map<std::string, std::vector<std::string>> order_in_topic() {
        std::map<std::string, std::vector<std::string>> order;
        for (std::int32_t partition = 0; partition < 3; ++partition) {
            for (const auto& record : read_raw(topic, topic.name, partition)) {
                order[record.key].push_back(record.header("id"));
            }
        }
        return order;
    }
    std::int64_t relay(const std::string& category, bool from_head = false) {
        MessageRelay one{
            *store, debezium_events(category), {.topic = topic, .from_head = from_head}};
        return one.catch_up();
    }
    AppendResult append_to(const StreamName& stream, Expected expected, int events) {
        google::protobuf::StringValue value;
        value.set_value(std::string("a\0b", 3));
        Append append;
        append.metadata.command_id = to_string(new_uuid7());
        append.writes.push_back(
            {stream, expected,
             std::vector<NewEvent>(static_cast<std::size_t>(events), new_event(value))});
        append.request = request_hash(append);
        return std::move(store->append({&append, 1}).at(0));
    }
};

TEST_F(AStoreWithDebeziumsTable, HoldsThereWhatOurRelaySends) {
    append_events(*store, 500);
    append_events(*store, 50, 5, "other");
    append_events(*store, 20, 5, "saga");
    // Names and versions whose length takes two bytes.
    static_cast<void>(append_to(StreamName{"thing", std::string(240, 'x')}, Expected::any(), 3));
    static_cast<void>(
        append_to(StreamName{"thing", "with-dashes-and-\xc3\xa4"}, Expected::any(), 300));
    EXPECT_EQ(relay("thing"), 803);
    const auto table = in_table("thing");
    EXPECT_EQ(table.size(), 803U);
    EXPECT_EQ(table, in_topic());
    EXPECT_EQ(order_in_table(), order_in_topic());
    EXPECT_EQ(in_table("other").size(), 50U);
    EXPECT_TRUE(in_table("saga").empty());
}

TEST_F(AStoreWithDebeziumsTable, HoldsThereWhatWasCommittedAlone) {
    EXPECT_EQ(append_to(StreamName{"thing", "1"}, Expected::no_stream(), 2).kind,
              AppendResult::Kind::committed);
    EXPECT_EQ(append_to(StreamName{"thing", "1"}, Expected::no_stream(), 2).kind,
              AppendResult::Kind::conflict);
    EXPECT_EQ(in_table("thing").size(), 2U);
}

TEST_F(AStoreWithDebeziumsTable, TakesARelayThatBeginsAtTheHead) {
    append_events(*store, 100);
    EXPECT_EQ(relay("thing", true), 0);
    append_events(*store, 40);
    EXPECT_EQ(relay("thing", true), 40);  // a cursor is there: behind it
    const auto table = in_table("thing");
    for (const auto& [id, row] : in_topic()) EXPECT_EQ(table.at(id), row);
}

}  // namespace
}  // namespace recount::test
