#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <algorithm>
#include <vector>

#include "bench/bare_kafka.hpp"
#include "bench/harness.hpp"
#include "bench/postgres_place.hpp"
#include "bench/relay_loads.hpp"
#include "outbox/kit.hpp"

/// The relay from PostgreSQL to Kafka beside bare librdkafka with the same records.
namespace recount::bench {
namespace {

using namespace recount::test;

constexpr int events = 1'000'000;

/// What `work` does with a topic of its own, in events/s.
template <class Work>
double rate(const EventStore& store, const Work& work) {
    const auto topic = own_topic_for(store);
    const double began = seconds_now();
    work(topic);
    const double took = seconds_now() - began;
    delete_topic(topic, topic.log());
    delete_topic(topic, topic.heads());
    return events / took;
}

void compare_drain(Harness& harness) {
    const Place place;
    const auto store = open_store(place.url(), {.partitions = 16});
    fill_carts(*store, events);
    harness.compare({.workload = "W11",
                     .variant = "1,000,000 events, PostgreSQL to Kafka",
                     .limit_is = "the slower one of the store, read, and librdkafka's producer",
                     .oracle = "each record was confirmed",
                     .measures = {{"events/s", 0.8}},
                     .recount =
                         [&] {
                             const double measured = rate(*store, [&](const KafkaTopic& topic) {
                                 if (Relay{*store, {.topic = topic}}.catch_up() == events) return;
                                 throw Error("not every event was published");
                             });
                             return std::vector<double>{measured};
                         },
                     .limit =
                         [&] {
                             const double began = seconds_now();
                             const auto all = read_all(*store);
                             const double reading = events / (seconds_now() - began);
                             const double producing = rate(*store, [&](const KafkaTopic& topic) {
                                 produce_bare(topic, all);
                             });
                             return std::vector<double>{std::min(reading, producing)};
                         }});
}

}  // namespace
}  // namespace recount::bench

int main(int count, char** arguments) {
    using namespace recount::bench;
    if (other_process(count, arguments)) return 0;
    Harness harness{count,
                    arguments,
                    {{"W11", "relay, 1,000,000 events"},
                     {"latency", "append to read from Kafka, under load and after silence"},
                     {"idle", "queries and processor time of a relay with nothing to do"}}};
    harness.begin();
    if (harness.wants("W11")) compare_drain(harness);
    if (harness.wants("latency")) compare_latency(harness);
    if (harness.wants("idle")) compare_idle(harness);
    return harness.result();
}
