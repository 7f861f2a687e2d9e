#include <recount/outbox.hpp>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "bench/bare_kafka.hpp"
#include "bench/harness.hpp"
#include "outbox/kit.hpp"
#include "support/servers.hpp"

/// The relay from PostgreSQL to Kafka beside bare librdkafka with the same records, and the time
/// from an append to its event being readable from Kafka.
namespace recount::bench {
namespace {

using namespace recount::test;

void tell(const char* what, std::int64_t count, double took) {
    std::printf("%-44s %8.0f /s   (%.2f s)\n", what, static_cast<double>(count) / took, took);
    std::fflush(stdout);
}

/// Appends one event after the other at a steady pace, and sees each arrive.
void latency(EventStore& store, const KafkaTopic& topic, const char* what, int count,
             Duration pause) {
    Relay relay{store, {.topic = topic}};
    relay.catch_up();
    KafkaLog log{{.topic = topic}};
    auto& scheduler = Environment::system().scheduler;
    auto relaying = scheduler.spawn("relay", [&](std::stop_token stop) { relay.run(stop); });
    Positions seen{static_cast<std::size_t>(log.identity().partitions)};
    const auto heads = store.heads();
    for (std::size_t index = 0; index < heads.size(); ++index) {
        seen.set({Partition{static_cast<std::int32_t>(index)}, heads[index].n});
    }
    log.wait(seen, std::chrono::milliseconds{500});
    std::vector<double> milliseconds;
    for (int index = 0; index < count; ++index) {
        scheduler.sleep(pause);
        append_events(store, 1);
        const double appended = seconds_now();
        while (!log.wait(seen, std::chrono::seconds{5})) {
        }
        milliseconds.push_back((seconds_now() - appended) * 1000);
        const auto now = store.heads();
        for (std::size_t number = 0; number < now.size(); ++number) {
            seen.raise(Position{Partition{static_cast<std::int32_t>(number)}, now[number].n});
        }
    }
    relaying->request_stop();
    relaying->join();
    std::printf("%-44s p50 %.1f ms, p99 %.1f ms\n", what, percentile(milliseconds, 0.5),
                percentile(milliseconds, 0.99));
}

void run(int events) {
    constexpr std::int32_t partitions = 16;
    const auto store = open_store(postgres_url_with_own_schema(), {.partitions = partitions});
    fill_carts(*store, events);
    const auto topic = own_topic_for(*store);
    const auto bare = own_topic_for(*store);

    double began = seconds_now();
    const auto all = read_all(*store);
    tell("the store, read", events, seconds_now() - began);
    tell("librdkafka's producer, the same records", events, produce_bare(bare, all));
    began = seconds_now();
    {
        Relay relay{*store, {.topic = topic}};
        relay.catch_up();
    }
    tell("relay, PostgreSQL to Kafka", events, seconds_now() - began);
    latency(*store, topic, "append to readable from Kafka, 50 /s", 300,
            std::chrono::milliseconds{20});
    latency(*store, topic, "first event after 3 s of silence", 5, std::chrono::seconds{3});
}

}  // namespace
}  // namespace recount::bench

int main(int count, char** arguments) {
    using namespace recount::bench;
    Harness harness{
        count, arguments, {{"W11", "relay, 200,000 events; append to readable from Kafka"}}};
    harness.begin();
    run(200'000);
    return harness.result();
}
