#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "bench/bare_kafka.hpp"
#include "bench/harness.hpp"
#include "outbox/kit.hpp"

/// A log read from Kafka, decoded and checked, beside a consumer of bare librdkafka that only
/// counts the same records.
namespace recount::bench {
namespace {

constexpr std::int32_t partitions = 16;
constexpr int events = 200'000;

/// A page of each partition in turn, as a projector does, of every so many beginning with one; each
/// is to end with the store's hash.
void read_some(KafkaLog& log, const std::vector<LogHead>& heads, std::size_t first,
               std::size_t every) {
    std::vector<LogHead> at(heads.size());
    for (bool more = true; more;) {
        more = false;
        for (std::size_t index = first; index < heads.size(); index += every) {
            if (at[index].n == heads[index].n) continue;
            const auto page = log.read(Partition{static_cast<std::int32_t>(index)}, at[index].n);
            if (page.events.empty()) throw Error("a page is empty before the log's end");
            at[index].n = page.events.back().at.position.n;
            at[index].hash = page.events.back().hash;
            more = true;
        }
    }
    for (std::size_t index = first; index < heads.size(); index += every) {
        const bool same = at[index].n == heads[index].n && at[index].hash == heads[index].hash;
        if (!same && heads[index].n > 0) throw Error("a partition ends with another hash");
    }
}

void read_log(const KafkaTopic& topic, const std::vector<LogHead>& heads, std::size_t threads) {
    KafkaLog log{{.topic = topic}};
    std::vector<std::exception_ptr> failures(threads);
    {
        std::vector<std::jthread> reading;
        for (std::size_t thread = 0; thread < threads; ++thread) {
            reading.emplace_back([&, thread] {
                try {
                    read_some(log, heads, thread, threads);
                } catch (...) {
                    failures[thread] = std::current_exception();
                }
            });
        }
    }
    for (const auto& failure : failures) {
        if (failure) std::rethrow_exception(failure);
    }
}

template <class Read>
std::vector<double> measured(const Read& read) {
    const double began = seconds_now();
    const double cpu = cpu_seconds();
    read();
    return {events / (seconds_now() - began), (cpu_seconds() - cpu) / events * 1e6};
}

void run(Harness& harness) {
    const auto store = open_store("memory:", {.partitions = partitions});
    fill_carts(*store, events);
    const KafkaTopic topic = test::own_topic_for(*store);
    Relay{*store, {.topic = topic}}.catch_up();
    const auto heads = store->heads();
    struct Variant {
        std::string name;
        bool headers;
        std::size_t threads;
    };
    for (const auto& [name, headers, threads] :
         {Variant{"beside one that counts", false, 1},
          Variant{"by two threads, beside one that counts", false, 2},
          Variant{"beside one that asks for headers", true, 1}}) {
        harness.compare({.workload = "reader",
                         .variant = name,
                         .limit_is = headers ? "librdkafka's consumer, counting, headers asked for"
                                             : "librdkafka's consumer, only counting",
                         .oracle = "chain and payload digests, and the store's last hashes",
                         .measures = {{"events/s", 0.8}, {"us of CPU/event", 1.25, false}},
                         .recount =
                             [&topic, &heads, threads = threads] {
                                 return measured([&] { read_log(topic, heads, threads); });
                             },
                         .limit =
                             [&topic, headers = headers] {
                                 return measured(
                                     [&] { consume_bare(topic, partitions, events, headers); });
                             }});
    }
}

}  // namespace
}  // namespace recount::bench

int main(int count, char** arguments) {
    using namespace recount::bench;
    Harness harness{count, arguments, {{"reader", "a log read from Kafka, 200,000 events"}}};
    harness.begin();
    run(harness);
    return harness.result();
}
