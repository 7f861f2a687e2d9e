#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <atomic>

#include "kafka/admin.hpp"
#include "kafka/producer.hpp"
#include "outbox/kit.hpp"
#include "outbox/own_broker.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

/// The broker would, as Kafka's default is.
void expect_no_topic_by_writing(const kafka::Settings& settings) {
    kafka::Producer producer{settings, {}, [](const kafka::Delivery&) {}};
    kafka::Admin admin{settings};
    const auto made = [&] {
        try {
            producer.produce("misspelt", {}, 0);
            producer.poll(std::chrono::milliseconds{10});
        } catch (const Unavailable&) {  // by now it is known that there is none
        }
        return admin.describe("misspelt", std::chrono::seconds{20}).has_value();
    };
    EXPECT_FALSE(eventually(made, std::chrono::seconds{1}));
}

TEST(ABrokerKilledUnderLoad, LosesNothingAndDoublesNothing) {
    OwnBroker broker;
    expect_no_topic_by_writing(kafka::client_settings({.brokers = broker.brokers()}));
    const auto store = open_store("memory:", {.partitions = 4});
    const KafkaTopic topic{.brokers = broker.brokers(), .name = "killed"};
    create_topics(topic, {.partitions = 4});
    Relay relay{*store, {.topic = topic}};
    auto& scheduler = store->environment().scheduler;
    std::atomic<std::int64_t> appended = 0;
    auto appending = scheduler.spawn("append", [&](std::stop_token stop) {
        do {
            append_events(*store, 20);
            appended += 20;
        } while (scheduler.sleep(std::chrono::milliseconds{10}, stop));
    });
    std::string why;
    auto relaying = scheduler.spawn("relay", [&](std::stop_token stop) { why = relay.run(stop); });
    auto& published = store->environment().metrics.counter("recount_relay_published_total",
                                                           "Records confirmed by the brokers",
                                                           {{"topic", topic.name}});
    auto& backlog = store->environment().metrics.gauge(
        "recount_relay_backlog_events", "Events in the store that the topic does not hold yet",
        {{"topic", topic.name}});

    for (int round = 0; round < 2; ++round) {
        const double before = published.value();
        ASSERT_TRUE(eventually([&] { return published.value() > before + 200; }));
        broker.kill();
        // Appends go on, and the alarm rises.
        const std::int64_t then = appended;
        EXPECT_TRUE(eventually([&] { return appended > then + 200 && backlog.value() > 100; }));
        broker.start();
    }
    appending->request_stop();
    appending->join();
    const auto complete = [&] {
        try {
            return differences(*store, topic);
        } catch (const Error& error) {
            return std::string{error.what()};
        }
    };
    EXPECT_TRUE(eventually([&] { return complete().empty(); })) << complete();
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(differences(*store, log), "");
    relaying->request_stop();
    relaying->join();
    EXPECT_EQ(why, "asked to stop");
}

}  // namespace
}  // namespace recount::test
