// Why the log is the outbox: what becomes of the table that everybody writes first.
//
// A service puts its messages into a table `outbox (id bigserial, …)` in the transaction that
// writes its rows. That much is right. A publisher polls the table, and goes wrong in two ways,
// each shown here step by step, beside recount under the very same steps.

#include <recount/eventstore.hpp>
#include <recount/eventstore/postgres.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <memory>

#include "outbox/child.hpp"
#include "outbox/kit.hpp"
#include "samples/outbox/own_database.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using testing::ElementsAre;

class TwoTransactionsAtOnce : public testing::Test {
protected:
    TwoTransactionsAtOnce() {
        pqxx::work set_up{looking_};
        set_up.exec("create table orders (id text primary key)");
        set_up.exec(
            "create table outbox (id bigserial primary key, message text, sent boolean not null "
            "default false)");
        set_up.commit();
        create_plain_topic(topic_, topic_.name, 1);
    }

    static void place(pqxx::transaction_base& transaction, const std::string& order) {
        transaction.exec_params("insert into orders values ($1)", order);
    }
    static void place_and_note(pqxx::transaction_base& transaction, const std::string& order) {
        place(transaction, order);
        transaction.exec_params("insert into outbox (message) values ($1)", order);
    }
    AppendResult append_last(pqxx::transaction_base& transaction, const std::string& order) {
        google::protobuf::StringValue placed;
        placed.set_value(order);
        return append_and_commit(transaction, *store_, {"order", "all"},
                                 {.command_id = "place-" + order}, placed);
    }

    void send(const std::string& message) {
        produce_foreign(topic_, topic_.name, 0, "order", message);
    }
    std::vector<std::string> in_topic() {
        std::vector<std::string> values;
        for (const auto& record : read_raw(topic_, topic_.name, 0)) values.push_back(*record.value);
        return values;
    }
    /// What a reader of recount's log has seen, who reads on from where it stopped.
    void read_on(std::vector<std::string>& seen) {
        const Partition partition = partition_of(StreamName{"order", "all"}, 16);
        for (const auto& event :
             store_->read(partition, static_cast<std::int64_t>(seen.size())).events) {
            seen.push_back(parse_as<google::protobuf::StringValue>(event).value());
        }
    }

    OwnDatabase database_;
    pqxx::connection first_{database_.url()}, second_{database_.url()}, looking_{database_.url()};
    std::unique_ptr<EventStore> store_ = open_store(database_.url() + "?schema=order_log");
    KafkaTopic topic_ = own_topic();
};

/// One that is killed for real, by SIGKILL.
class AKilledPublisher : public TwoTransactionsAtOnce {
protected:
    static constexpr const char* no_broker = "127.0.0.1:1";

    void note(const std::string& order) {
        pqxx::work placing{first_};
        place_and_note(placing, order);
        placing.commit();
    }
    [[nodiscard]] int publish_the_rest(const char* way) const {
        return Child{{BY_HAND, database_.url(), topic_.brokers, topic_.name, way}}.wait();
    }
};

// 1. Ids are given when a row is inserted, rows are seen when their transaction commits: not in the
// same order. A publisher that remembers the last id it saw never looks back.
TEST_F(TwoTransactionsAtOnce, LoseAMessageInAnOutboxThatIsReadById) {
    std::int64_t last = 0;
    const auto poll = [&] {
        pqxx::work transaction{looking_};
        for (const auto& row : transaction.exec_params(
                 "select id, message from outbox where id > $1 order by id", last)) {
            send(row[1].as<std::string>());
            last = row[0].as<std::int64_t>();
        }
    };
    pqxx::work slow{first_};
    place_and_note(slow, "1");  // id 1, not to be seen yet
    pqxx::work fast{second_};
    place_and_note(fast, "2");  // id 2
    fast.commit();
    poll();
    slow.commit();
    poll();

    EXPECT_EQ(pqxx::work{looking_}.exec("select 1 from orders").size(), 2) << "both are placed";
    EXPECT_THAT(in_topic(), ElementsAre("2")) << "and of one nobody will ever hear";
}

TEST_F(TwoTransactionsAtOnce, LoseNothingInALogThatIsWrittenLast) {
    std::vector<std::string> seen;
    pqxx::work slow{first_};
    place(slow, "1");
    pqxx::work fast{second_};
    place(fast, "2");
    // Positions are given here, behind everything else, under a lock that ends with the commit.
    EXPECT_EQ(append_last(fast, "2").kind, AppendResult::Kind::committed);
    read_on(seen);
    EXPECT_EQ(append_last(slow, "1").kind, AppendResult::Kind::committed);
    read_on(seen);
    EXPECT_THAT(seen, ElementsAre("2", "1"));
}

// 2. To mark rows as sent instead finds them all; but nothing writes to a broker and to a database
// at once. A publisher that is killed between the two sends again, and its readers have nothing to
// tell the second message from a new one …
TEST_F(AKilledPublisher, DoublesAMessageThatItSendsAndThenMarks) {
    note("1");
    pqxx::work busy{second_};
    busy.exec("select 1 from outbox for update");  // so that it stops where it is to be killed
    Child publisher{{BY_HAND, database_.url(), topic_.brokers, topic_.name, "send-first"}};
    ASSERT_TRUE(eventually([&] { return in_topic().size() == 1; }));
    publisher.kill();
    busy.abort();
    EXPECT_EQ(publish_the_rest("send-first"), 0);
    EXPECT_THAT(in_topic(), ElementsAre("1", "1"));
}

// … and one that marks first has lost what it had not sent.
TEST_F(AKilledPublisher, LosesAMessageThatItMarksAndThenSends) {
    note("1");
    Child publisher{{BY_HAND, database_.url(), no_broker, topic_.name, "mark-first"}};
    ASSERT_TRUE(eventually([&] {
        pqxx::work look{looking_};
        return !look.exec("select 1 from outbox where sent").empty();
    }));
    publisher.kill();
    EXPECT_EQ(publish_the_rest("mark-first"), 0);
    EXPECT_TRUE(in_topic().empty());
}

/// The relay under both kills: before its broker answers, and as soon as something is sent.
TEST_F(AKilledPublisher, LosesAndDoublesNothingWhereItIsTheRelay) {
    pqxx::work placing{first_};
    place(placing, "1");
    EXPECT_EQ(append_last(placing, "1").kind, AppendResult::Kind::committed);
    create_topics(topic_, {.partitions = 16});
    const auto relay = [&](const std::string& brokers) {
        return std::make_unique<Child>(std::vector<std::string>{
            RELAY_CHILD, database_.url() + "?schema=order_log", brokers, topic_.name, "1000"});
    };
    const auto connected = [&] {
        return pqxx::work{looking_}
            .exec("select 1 from pg_stat_activity where datname = current_database()")
            .size();
    };
    const auto before = connected();
    const auto in_vain = relay(no_broker);
    ASSERT_TRUE(eventually([&] { return connected() > before; }));
    in_vain->kill();
    const Partition partition = partition_of(StreamName{"order", "all"}, 16);
    const auto sent = [&] { return read_raw(topic_, topic_.log(), partition.value).size(); };
    const auto working = relay(topic_.brokers);
    ASSERT_TRUE(eventually([&] { return sent() == 1; }));
    working->kill();
    pqxx::work another{first_};
    EXPECT_EQ(append_last(another, "2").kind, AppendResult::Kind::committed);
    const auto next = relay(topic_.brokers);
    ASSERT_TRUE(eventually([&] { return sent() >= 2; }));
    EXPECT_EQ(sent(), 2U);
    KafkaLog log{{.topic = topic_}};
    EXPECT_EQ(differences(*store_, log), "");
}

TEST_F(TwoTransactionsAtOnce, AreRecognisedWhenTheRelayForgetsHowFarItCame) {
    pqxx::work placing{first_};
    place(placing, "1");
    EXPECT_EQ(append_last(placing, "1").kind, AppendResult::Kind::committed);
    create_topics(topic_, {.partitions = 16});
    Relay{*store_, {.topic = topic_}}.catch_up();
    {
        pqxx::work forget{looking_};
        forget.exec("delete from order_log.relay_cursor");
        forget.commit();
    }
    // It looks at the end of the topic before it sends.
    EXPECT_EQ(Relay(*store_, {.topic = topic_}).catch_up(), 0);

    // And were a record there twice, position and hash say that it is the same.
    const Partition partition = partition_of(StreamName{"order", "all"}, 16);
    produce_again(topic_, topic_.log(), partition.value,
                  read_raw(topic_, topic_.log(), partition.value));
    EXPECT_EQ(read_raw(topic_, topic_.log(), partition.value).size(), 2);
    KafkaLog log{{.topic = topic_}};
    EXPECT_EQ(differences(*store_, log), "");
}

}  // namespace
}  // namespace recount::test
