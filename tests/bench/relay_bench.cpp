#include <recount/core/ids.hpp>
#include <recount/outbox.hpp>

#include <google/protobuf/wrappers.pb.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/harness.hpp"
#include "kafka/reader.hpp"
#include "outbox/kit.hpp"
#include "record.hpp"
#include "support/servers.hpp"

/// The relay from PostgreSQL to Kafka and the log read from there, beside bare librdkafka with the
/// same records, and the time from an append to its event being readable from Kafka.
namespace recount::bench {
namespace {

using namespace recount::test;

double seconds() {
    return std::chrono::duration<double>{Environment::system().clock.steady()}.count();
}

void tell(const char* what, std::int64_t count, double took) {
    std::printf("%-44s %8.0f /s   (%.2f s)\n", what, static_cast<double>(count) / took, took);
    std::fflush(stdout);
}

void fill(EventStore& store, int events) {
    constexpr int in_append = 100;
    std::vector<Append> group;
    for (int done = 0; done < events; done += in_append) {
        Append append;
        append.metadata.command_id = to_string(new_uuid7());
        StreamWrite write{
            StreamName{"cart", std::to_string(done / in_append)}, Expected::any(), {}};
        for (int index = 0; index < in_append; ++index) {
            google::protobuf::StringValue value;
            value.set_value(std::string(120, 'x'));
            write.events.push_back(new_event(value));
        }
        append.writes.push_back(std::move(write));
        append.request = request_hash(append);
        group.push_back(std::move(append));
        if (group.size() == 20) {
            static_cast<void>(store.append(std::span<const Append>{group}));
            group.clear();
        }
    }
    if (!group.empty()) static_cast<void>(store.append(std::span<const Append>{group}));
}

rd_kafka_t* bare_handle(rd_kafka_type_t type, const KafkaTopic& topic, bool idempotent) {
    char error[512];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    const auto set = [&](const char* name, const char* value) {
        rd_kafka_conf_set(conf, name, value, error, sizeof error);
    };
    set("bootstrap.servers", topic.brokers.c_str());
    if (idempotent) {
        set("enable.idempotence", "true");
        set("linger.ms", "5");
    } else {
        set("enable.auto.commit", "false");
        set("queued.max.messages.kbytes", "16384");
    }
    return rd_kafka_new(type, conf, error, sizeof error);
}

void send_bare(rd_kafka_t* handle, rd_kafka_topic_t* log, const kafka::Message& message,
               rd_kafka_headers_t* headers) {
    std::array<rd_kafka_vu_t, 6> units{};
    units[0].vtype = RD_KAFKA_VTYPE_RKT;
    units[0].u.rkt = log;
    units[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    units[1].u.i32 = message.partition;
    units[2].vtype = RD_KAFKA_VTYPE_KEY;
    units[2].u.mem = {const_cast<char*>(message.key.data()), message.key.size()};
    units[3].vtype = RD_KAFKA_VTYPE_VALUE;
    units[3].u.mem = {const_cast<char*>(message.value->data()), message.value->size()};
    units[4].vtype = RD_KAFKA_VTYPE_HEADERS;
    units[4].u.headers = headers;
    units[5].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    units[5].u.i = RD_KAFKA_MSG_F_COPY;
    while (rd_kafka_error_t* error = rd_kafka_produceva(handle, units.data(), units.size())) {
        rd_kafka_error_destroy(error);  // the queue is full
        rd_kafka_poll(handle, 5);
    }
}

/// The same records by librdkafka's own producer: idempotent, acks=all, same linger.
double produce_bare(const KafkaTopic& topic,
                    const std::vector<std::vector<RecordedEvent>>& events) {
    rd_kafka_t* handle = bare_handle(RD_KAFKA_PRODUCER, topic, true);
    rd_kafka_topic_t* log = rd_kafka_topic_new(handle, topic.log().c_str(), nullptr);
    RecordEncoder encoder{"urn:uuid:x", Uuid{}, {}};
    const double began = seconds();
    for (const auto& partition : events) {
        for (const auto& event : partition) {
            const auto message = encoder.encode(event);
            rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
            for (const auto& header : message.headers) {
                rd_kafka_header_add(
                    headers, header.name.data(), static_cast<std::int64_t>(header.name.size()),
                    header.value.data(), static_cast<std::int64_t>(header.value.size()));
            }
            send_bare(handle, log, message, headers);
            rd_kafka_poll(handle, 0);
        }
    }
    rd_kafka_flush(handle, 600'000);
    const double took = seconds() - began;
    rd_kafka_topic_destroy(log);
    rd_kafka_destroy(handle);
    return took;
}

/// librdkafka's own consumer, which only counts.
double consume_bare(const KafkaTopic& topic, std::int32_t partitions, std::int64_t count) {
    rd_kafka_t* handle = bare_handle(RD_KAFKA_CONSUMER, topic, false);
    rd_kafka_topic_t* log = rd_kafka_topic_new(handle, topic.log().c_str(), nullptr);
    rd_kafka_queue_t* queue = rd_kafka_queue_new(handle);
    const double began = seconds();
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
        rd_kafka_consume_start_queue(log, partition, 0, queue);
    }
    while (count > 0) {
        rd_kafka_message_t* message = rd_kafka_consume_queue(queue, 1000);
        if (message == nullptr) continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) --count;
        rd_kafka_message_destroy(message);
    }
    const double took = seconds() - began;
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
        rd_kafka_consume_stop(log, partition);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_destroy(log);
    rd_kafka_destroy(handle);
    return took;
}

double percentile(std::vector<double>& values, double part) {
    std::sort(values.begin(), values.end());
    return values.at(static_cast<std::size_t>(part * static_cast<double>(values.size() - 1)));
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
        const double appended = seconds();
        while (!log.wait(seen, std::chrono::seconds{5})) {
        }
        milliseconds.push_back((seconds() - appended) * 1000);
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
    fill(*store, events);
    const auto topic = own_topic_for(*store);
    const auto bare = own_topic_for(*store);

    double began = seconds();
    const auto all = read_all(*store);
    tell("the store, read", events, seconds() - began);
    tell("librdkafka's producer, the same records", events, produce_bare(bare, all));
    began = seconds();
    {
        Relay relay{*store, {.topic = topic}};
        relay.catch_up();
    }
    tell("relay, PostgreSQL to Kafka", events, seconds() - began);
    tell("librdkafka's consumer, only counting", events, consume_bare(topic, partitions, events));
    KafkaLog log{{.topic = topic}};
    began = seconds();
    read_all(log);
    tell("KafkaLog, read and checked", events, seconds() - began);
    latency(*store, topic, "append to readable from Kafka, 50 /s", 300,
            std::chrono::milliseconds{20});
    latency(*store, topic, "first event after 3 s of silence", 5, std::chrono::seconds{3});
}

}  // namespace
}  // namespace recount::bench

int main(int count, char** arguments) {
    using namespace recount::bench;
    Harness harness{count, arguments, {{"W11", "relay and reader, 200,000 events"}}};
    harness.begin();
    run(200'000);
    return harness.result();
}
