#include "outbox/messages_on_kafka.hpp"

#include <recount/eventstore/sql.hpp>

#include <gmock/gmock.h>

#include <set>

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(MessagesOnKafka, AreWhatTheMappingMakesOfEachEvent) {
    append_events(*store, 1000);
    EXPECT_EQ(make_relay()->catch_up(), 250 * (0 + 1 + 2 + 3));
    expect_exact();
}

TEST_F(MessagesOnKafka, GoOnBehindWhatWasConfirmed) {
    const auto relay = make_relay();
    append_events(*store, 400);
    relay->catch_up();
    append_events(*store, 400);
    EXPECT_EQ(relay->catch_up(), 600);
    EXPECT_EQ(relay->catch_up(), 0);
    expect_exact();
}

TEST_F(MessagesOnKafka, LetTheCursorPassEventsThatBecomeNothing) {
    const auto relay = make_relay();
    append_events(*store, 1);  // number 0: no message
    append_events(*store, 50, 5, "saga");
    EXPECT_EQ(relay->catch_up(), 13 + 12 * 2 + 12 * 3);
    append_events(*store, 1);
    EXPECT_EQ(relay->catch_up(), 0);
    expect_exact();
}

TEST_F(MessagesOnKafka, AreSentAgainUnderTheirIdsWhenTheCursorWasLost) {
    append_events(*store, 100);
    make_relay()->catch_up();
    make_relay()->catch_up();  // a store in memory keeps the cursor in memory
    expect_exact(150);
}

TEST_F(MessagesOnKafka, AreCloudEvents) {
    append_events(*store, 2, 1);
    make_relay()->catch_up();
    const auto event = store->read(partition_of("thing-0", 4), 1).events.at(0);
    const auto record = read_raw(topic, topic.name, partition_of("0", 3).value).at(0);
    EXPECT_EQ(record.key, "0");
    EXPECT_EQ(record.header("ce_specversion"), "1.0");
    EXPECT_EQ(record.header("ce_source"), "urn:uuid:" + to_string(store->identity().id));
    EXPECT_EQ(record.header("ce_type"), "google.protobuf.StringValue");
    EXPECT_EQ(record.header("ce_subject"), "thing-0");
    EXPECT_EQ(record.header("ce_partitionkey"), "0");
    EXPECT_EQ(record.header("ce_causationid"), to_string(event.at.event_id));
    EXPECT_EQ(record.header("ce_correlationid"), event.at.correlation_id);
    EXPECT_EQ(record.header("traceparent"), event.at.traceparent);
    EXPECT_EQ(record.header("content-type"), "application/protobuf");
    EXPECT_EQ(record.header("recount-position"), to_string(event.at.position));
    EXPECT_EQ(record.header("recount-message"), "1/1");
}

TEST_F(MessagesOnKafka, AreFramedWithTheSchemaIdOfTheirType) {
    append_events(*store, 2, 1);
    MessageRelay relay{*store, mapping, {.topic = topic, .schema_id = [](const std::string& type) {
                                             return type == "google.protobuf.StringValue" ? 258 : 0;
                                         }}};
    relay.catch_up();
    const auto record = read_raw(topic, topic.name, partition_of("0", 3).value).at(0);
    // StringValue is the eighth message of wrappers.proto.
    EXPECT_THAT(*record.value, testing::StartsWith(std::string("\0\0\0\1\2\x02\x0e\x0a", 8)));
    EXPECT_EQ(record.header("content-type"), "application/octet-stream");
}

TEST_F(MessagesOnKafka, StopAtAnEventThatTheMappingCannotTake) {
    append_events(*store, 10, 1);
    const MessageMapping broken{"broken", [](const RecordedEvent& event) {
                                    if (event.at.position.n == 7) throw std::runtime_error("seven");
                                    return mapping.publish(event);
                                }};
    MessageRelay relay{*store, broken, {.topic = topic}};
    const auto why = relay.run({});
    EXPECT_THAT(why, AllOf(HasSubstr("mapping broken failed at position"), HasSubstr(":7"),
                           HasSubstr("seven"), HasSubstr("mend the mapping")));
    make_relay()->catch_up();
    EXPECT_EQ(compare_messages(*store, mapping, topic).expected, 1 + 2 + 3 + 1 + 2 + 3 + 1);
}

TEST_F(MessagesOnKafka, NeedATopicThatIsThere) {
    topic.name = "missing";
    EXPECT_THAT(message_of_catch_up(),
                AllOf(HasSubstr("topic missing does not exist"), HasSubstr("--create")));
}

TEST_F(MessagesOfADurableStore, GoOnInAnotherProcess) {
    append_events(*store, 100);
    make_relay()->catch_up();
    append_events(*store, 100);
    EXPECT_EQ(make_relay()->catch_up(), 150);
    expect_exact();
}

TEST_F(MessagesOfADurableStore, AreTakenOverFromARelayThatEndedWithAnError) {
    append_events(*store, 100);
    const MessageMapping broken{"broken", [](const RecordedEvent&) -> std::vector<Message> {
                                    throw std::runtime_error("a bug");
                                }};
    MessageRelay ended{*store, broken, {.topic = topic}};
    EXPECT_THAT(ended.run({}), HasSubstr("a bug"));
    EXPECT_EQ(store->environment()
                  .metrics.gauge("recount_relay_working", "", {{"topic", topic.name}})
                  .value(),
              0);
    // Its object lives, and so would its lease.
    const auto other = open_store(url);
    MessageRelay standby{*other, mapping, {.topic = topic}};
    std::stop_source stop;
    auto running = other->environment().scheduler.spawn(
        "standby", [&](std::stop_token) { standby.run(stop.get_token()); });
    EXPECT_TRUE(eventually([&] { return compare_messages(*store, mapping, topic).wrong.empty(); }))
        << "nobody publishes";
    stop.request_stop();
    running->join();
    expect_exact();
}

TEST_F(MessagesOfADurableStore, CanBePublishedByAnotherRelayWhenCatchUpFailed) {
    append_events(*store, 10);
    const MessageMapping broken{"broken", [](const RecordedEvent&) -> std::vector<Message> {
                                    throw std::runtime_error("a bug");
                                }};
    MessageRelay failed{*store, broken, {.topic = topic, .lease = std::chrono::hours{1}}};
    EXPECT_THROW(failed.catch_up(), UnreadableEvent);
    const auto other = open_store(url);
    MessageRelay another{*other, mapping, {.topic = topic}};
    another.catch_up();  // Fenced, if the lease were still the first one's
    EXPECT_THROW(failed.catch_up(), Fenced) << "which has taken it for itself";
    expect_exact();
}

TEST_F(MessagesOfADurableStore, GoOnBehindThoseOfARelayThatWorkedMeanwhile) {
    append_events(*store, 100);
    const auto lease = std::chrono::milliseconds{300};
    MessageRelay first{*store, mapping, {.topic = topic, .lease = lease}};
    first.catch_up();
    {
        auto database = Database::open(url);
        auto sql = database->begin(SqlMode::write);
        sql->exec("delete from lease");  // as if its process had been away
        sql->commit();
    }
    append_events(*store, 100);
    const auto other = open_store(url);
    EXPECT_EQ((MessageRelay{*other, mapping, {.topic = topic}}.catch_up()), 150);
    append_events(*store, 100);
    store->environment().scheduler.sleep(lease);  // the first one notices
    EXPECT_TRUE(eventually([&] {
        try {
            return first.catch_up() == 150;
        } catch (const Fenced&) {
            return false;
        }
    }));
    expect_exact();
}

TEST_F(MessagesOfADurableStore, GoOnBehindTheForkOfADeclaredRestore) {
    append_events(*store, 200);
    make_relay()->catch_up();
    {
        auto database = Database::open(url);
        auto sql = database->begin(SqlMode::write);
        sql->exec("delete from event where position > 10");
        sql->exec("delete from outcome");
        sql->exec("delete from stream");
        sql->exec("insert into stream select stream, max(version) from event group by stream");
        sql->exec(
            "update partition p set position = e.position, hash = e.hash from event e "
            "where e.partition = p.partition and e.position = 10");
        sql->commit();
    }
    store = open_store(url);
    EXPECT_THAT(message_of_catch_up(), HasSubstr("declare the restore"));
    declare_restored(url);
    store = open_store(url);
    append_events(*store, 200);
    std::int64_t expected = 0;
    std::set<std::string> ids;
    for (const auto& events : read_all(*store)) {
        for (const auto& event : events) {
            if (event.at.position.n > 10) {
                expected += static_cast<std::int64_t>(mapping.publish(event).size());
            }
        }
    }
    EXPECT_EQ(make_relay()->catch_up(), expected);
    std::int64_t of_this_life = 0;
    std::set<std::string> positions;
    bool position_again = false;
    for (std::int32_t number = 0; number < 3; ++number) {
        for (const auto& record : read_raw(topic, topic.name, number)) {
            EXPECT_TRUE(ids.insert(record.header("ce_id")).second);
            const auto place = record.header("recount-position") + record.header("recount-message");
            position_again = !positions.insert(place).second || position_again;
            of_this_life +=
                record.header("recount-incarnation") == to_string(store->identity().incarnation);
        }
    }
    EXPECT_EQ(of_this_life, expected);
    EXPECT_TRUE(position_again) << "ids alone tell new messages from repeated ones";
}

}  // namespace
}  // namespace recount::test
