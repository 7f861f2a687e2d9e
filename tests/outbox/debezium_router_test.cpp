#include <recount/core/hash.hpp>
#include <recount/core/ids.hpp>
#include <recount/eventstore/sql.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "eventstore/postgres/private_server.hpp"
#include "kafka/admin.hpp"
#include "outbox/connect.hpp"
#include "outbox/kit.hpp"
#include "outbox/message_oracle.hpp"
#include "support/eventually.hpp"
#include "support/servers.hpp"

namespace recount::test {
namespace {

using namespace std::chrono_literals;
using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

constexpr std::int32_t partitions = 3;
const std::string shipped_files = DEBEZIUM_FOLDER;
const std::string secret = "canary-of-the-connector";

std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream{file}.rdbuf();
    return text.str();
}

/// A database in which logical decoding works, and Debezium's user needs its password.
std::string settings(const TemporaryFolder& folder) {
    std::ofstream{folder.file("pg_hba.conf")}
        << "host all,replication debezium 127.0.0.1/32 scram-sha-256\n"
        << "host all all 127.0.0.1/32 trust\n";
    return "wal_level = logical\nhba_file = '" + folder.file("pg_hba.conf") + "'\n";
}

/// A service's store in schema `shop`, and Debezium as the shipped files set it up, beside the
/// relay that would take its place. The store's owner is nobody special, and neither is Debezium.
struct AServiceWithDebezium : testing::Test {
    /// What a consumer sees of a record. Large values by their hash.
    struct Told {
        std::int32_t partition;
        std::string value, id, type;
        bool operator==(const Told&) const = default;
        friend void PrintTo(const Told& told, std::ostream* out) {
            *out << told.partition << ' ' << told.id << ' ' << told.type << ' '
                 << testing::PrintToString(told.value);
        }
    };
    using ByKey = std::map<std::string, std::vector<Told>>;

    TemporaryFolder files;
    PrivateServer server{settings(files)};
    std::string category = unique_name("order");
    KafkaTopic topic{.brokers = kafka_brokers(), .name = "outbox.event." + category};
    std::string url =
        "postgresql://shop@127.0.0.1:" + std::to_string(server.port()) + "/shop?schema=shop";
    std::unique_ptr<EventStore> store;
    std::unique_ptr<Connect> connect;

    void SetUp() override {
        create_plain_topic(topic, topic.name, partitions);
        psql("recount", "postgres",
             {"-c", "create role shop login", "-c", "create database shop owner shop", "-c",
              "create role debezium login replication password '" + secret + "'"});
        store = open_store(
            "postgresql://shop@127.0.0.1:" + std::to_string(server.port()) + "/shop?schema=shop",
            {.partitions = 4});
    }
    void TearDown() override {
        if (!connect) return;
        EXPECT_THAT(connect->log(), Not(HasSubstr(secret)));
        if (HasFailure()) std::cerr << connect->complaints();
    }

    void psql(const std::string& user, const std::string& database,
              const std::vector<std::string>& what) {
        std::vector<std::string> command{"/usr/bin/psql",
                                         "-Xq",
                                         "-v",
                                         "ON_ERROR_STOP=1",
                                         "-h",
                                         "127.0.0.1",
                                         "-p",
                                         std::to_string(server.port()),
                                         "-U",
                                         user,
                                         "-d",
                                         database};
        command.insert(command.end(), what.begin(), what.end());
        ASSERT_EQ(Child{command}.wait(), 0);
    }
    void in_shop(const std::string& sql) { psql("shop", "shop", {"-c", sql}); }
    /// As the README says.
    void set_up_table() {
        psql("shop", "shop",
             {"-1", "-c", "set search_path to shop", "-f", shipped_files + "/outbox.sql"});
        in_shop("grant usage on schema shop to debezium; grant select on shop.outbox to debezium");
    }
    /// With the shipped connector, in which nothing but the place of database and secret is
    /// another.
    void start_debezium() {
        std::string connector = text_of(shipped_files + "/connector.json");
        const auto put = [&](const std::string& shipped, const std::string& ours) {
            const auto at = connector.find(shipped);
            ASSERT_NE(at, std::string::npos) << shipped;
            connector.replace(at, shipped.size(), ours);
        };
        put(R"("database.hostname": "postgres")", R"("database.hostname": "127.0.0.1")");
        put(R"("database.port": "5432")",
            R"("database.port": ")" + std::to_string(server.port()) + '"');
        put("/etc/debezium/postgres.properties", files.file("postgres.properties"));
        std::ofstream{files.file("postgres.properties")} << "password=" << secret << "\n";
        connect = std::make_unique<Connect>(topic.brokers, connector);
        connect->start();
    }
    std::int64_t relay(const KafkaTopic& to, bool from_head = false) {
        MessageRelay one{*store, debezium_events(category), {.topic = to, .from_head = from_head}};
        return one.catch_up();
    }
    void append(const std::string& id, const std::vector<std::string>& values) {
        Append append;
        append.metadata.command_id = to_string(new_uuid7());
        std::vector<NewEvent> events;
        for (const auto& text : values) {
            google::protobuf::StringValue value;
            value.set_value(text);
            events.push_back(new_event(value));
        }
        append.writes.push_back({StreamName{category, id}, Expected::any(), events});
        append.request = request_hash(append);
        static_cast<void>(accepted(std::move(store->append({&append, 1}).at(0))));
    }

    static ByKey told(const KafkaTopic& where) {
        ByKey all;
        for (std::int32_t partition = 0; partition < partitions; ++partition) {
            for (const auto& record : read_raw(where, where.name, partition)) {
                const std::string value = record.value.value_or("no value at all");
                all[record.key].push_back({partition,
                                           value.size() < 100 ? value : to_string(sha256(value)),
                                           record.header("id"), record.header("ce_type")});
            }
        }
        return all;
    }
    /// Up to where it is now, though no row comes.
    bool server_lets_its_log_go() {
        auto database = Database::open(url);
        const auto ask = [&](const std::string& what) {
            return std::string{database->begin(SqlMode::snapshot)->query(what).text(0, 0)};
        };
        const auto now = ask("select pg_current_wal_lsn()::text");
        return eventually([&] {
            return ask("select bool_and(confirmed_flush_lsn >= '" + now +
                       "')::text from pg_replication_slots") == "true";
        });
    }

    [[nodiscard]] bool exists(const std::string& name) const {
        return kafka::Admin{{{"bootstrap.servers", topic.brokers}}}.describe(name, 10s).has_value();
    }

    /// For each key the ids, in their order.
    [[nodiscard]] std::map<std::string, std::vector<std::string>> in_store() const {
        std::map<std::string, std::vector<std::string>> ids;
        for (const auto& events : read_all(*store)) {
            for (const auto& event : events) {
                if (event.at.stream.category() != category) continue;
                ids[std::string{event.at.stream.id()}].push_back(to_string(event.at.event_id));
            }
        }
        return ids;
    }
    /// Everything was told once, in order, to those who drop what they saw before; how often they
    /// do, or -1 when it is not so.
    [[nodiscard]] std::int64_t repeats_of(const ByKey& all) const {
        std::map<std::string, std::vector<std::string>> once;
        std::set<std::string> seen;
        std::int64_t repeats = 0;
        for (const auto& [key, records] : all) {
            for (const auto& record : records) {
                if (seen.insert(record.id).second) {
                    once[key].push_back(record.id);
                } else {
                    ++repeats;
                }
            }
        }
        return once == in_store() ? repeats : -1;
    }
    [[nodiscard]] testing::AssertionResult all_is_told() const {
        std::size_t missing = 0;
        const bool all = eventually([&] {
            std::set<std::string> ids;
            for (const auto& [key, records] : told(topic)) {
                for (const auto& record : records) ids.insert(record.id);
            }
            missing = 0;
            for (const auto& [key, expected] : in_store()) {
                for (const auto& id : expected) missing += 1 - ids.count(id);
            }
            return missing == 0;
        });
        if (all) return testing::AssertionSuccess();
        return testing::AssertionFailure() << missing << " events are not in the topic";
    }
};

TEST_F(AServiceWithDebezium, TellsWhatOurRelayTells) {
    set_up_table();
    append_events(*store, 60, 7, category);
    start_debezium();
    ASSERT_TRUE(all_is_told());  // by its snapshot
    append_events(*store, 300, 7, category);
    append_events(*store, 20, 3, "saga");
    const auto other = unique_name("other");  // nobody has made its topic
    append_events(*store, 20, 3, other);
    append("with-dashes-and-\xc3\xa4", {"one", "", "three", std::string("a\0b", 3), ""});
    append(std::string(200, 'x'), std::vector<std::string>(300, "many"));
    append("large", {std::string(1'000'000, 'x')});
    in_shop("delete from shop.outbox");
    const bool told_before = exists("shop.message");
    in_shop("select pg_logical_emit_message(true, 'not for Debezium', 'but it is told of it')");
    append_events(*store, 40, 7, category);
    ASSERT_TRUE(all_is_told());
    append_events(*store, 20, 3, "saga");
    EXPECT_TRUE(server_lets_its_log_go());
    EXPECT_EQ(exists("shop.message"), told_before);
    connect->stop();

    const auto ours = own_message_topic(partitions);
    EXPECT_EQ(relay(ours), 706);
    EXPECT_EQ(told(topic), told(ours));
    for (const auto& record : read_raw(topic, topic.name, 0)) {
        ASSERT_THAT(record.headers, ElementsAre(Pair("id", _), Pair("ce_type", _)));
    }
    EXPECT_EQ(read_raw(topic, "outbox.event." + other, 0).size(), 20U);
}

TEST_F(AServiceWithDebezium, GivesWayToTheRelay) {
    set_up_table();
    start_debezium();
    append_events(*store, 100, 7, category);
    ASSERT_TRUE(all_is_told());
    EXPECT_EQ(relay(topic, true), 0);
    append_events(*store, 50, 7, category);
    ASSERT_TRUE(all_is_told());
    connect->stop();
    append_events(*store, 30, 7, category);
    EXPECT_EQ(relay(topic), 80);

    in_shop(
        "drop trigger fill_outbox on shop.event; drop table shop.outbox; "
        "drop function shop.fill_outbox, shop.envelope_event_id; drop publication shop_outbox");
    psql("recount", "shop", {"-c", "select pg_drop_replication_slot('shop_outbox')"});
    append_events(*store, 20, 7, category);
    EXPECT_EQ(relay(topic), 20);
    EXPECT_EQ(repeats_of(told(topic)), 50);
}

TEST_F(AServiceWithDebezium, TakesOverFromTheRelay) {
    append_events(*store, 100, 7, category);
    EXPECT_EQ(relay(topic), 100);
    set_up_table();
    append_events(*store, 1000, 7, category);
    EXPECT_EQ(relay(topic), 1000);
    std::int64_t rows = 0;
    for (const auto& events : read_all(*store)) {
        rows += std::max<std::int64_t>(0, std::ssize(events) - 150);
    }
    append_events(*store, 200, 7, category);
    // Old rows may go; those that take their room stand before older ones, which are still to tell.
    in_shop("delete from shop.outbox where position <= 150");
    in_shop("vacuum shop.outbox");
    append_events(*store, 200, 7, category);
    start_debezium();
    ASSERT_TRUE(all_is_told());
    connect->stop();
    EXPECT_EQ(repeats_of(told(topic)), rows);
}

}  // namespace
}  // namespace recount::test
