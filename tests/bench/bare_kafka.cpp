#include "bench/bare_kafka.hpp"

#include <recount/core/ids.hpp>

#include <google/protobuf/wrappers.pb.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <string>

#include "bench/harness.hpp"
#include "kafka/producer.hpp"
#include "record.hpp"

namespace recount::bench {

void fill_carts(EventStore& store, int events) {
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

namespace {

rd_kafka_t* bare_handle(rd_kafka_type_t type, const KafkaTopic& topic, bool idempotent,
                        rd_kafka_conf_t* conf = rd_kafka_conf_new(), const char* linger = "5") {
    char error[512];
    const auto set = [&](const char* name, const char* value) {
        rd_kafka_conf_set(conf, name, value, error, sizeof error);
    };
    set("bootstrap.servers", topic.brokers.c_str());
    if (idempotent) {
        set("enable.idempotence", "true");
        set("linger.ms", linger);
        set("socket.nagle.disable", "true");
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

}  // namespace

double produce_bare(const KafkaTopic& topic,
                    const std::vector<std::vector<RecordedEvent>>& events) {
    rd_kafka_t* handle = bare_handle(RD_KAFKA_PRODUCER, topic, true);
    rd_kafka_topic_t* log = rd_kafka_topic_new(handle, topic.log().c_str(), nullptr);
    RecordEncoder encoder{"urn:uuid:x", Uuid{}, {}};
    const double began = seconds_now();
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
    const double took = seconds_now() - began;
    rd_kafka_topic_destroy(log);
    rd_kafka_destroy(handle);
    return took;
}

namespace {

/// Of one record: when it was sent, then how long it took.
void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    double& at = *static_cast<double*>(message->_private);
    at = message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? (seconds_now() - at) * 1000 : 1e9;
}

}  // namespace

std::vector<double> produce_latency(const KafkaTopic& topic, std::int32_t partitions, int count,
                                    int a_second, std::size_t bytes) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t* handle = bare_handle(RD_KAFKA_PRODUCER, topic, true, conf, "0");
    rd_kafka_topic_t* log = rd_kafka_topic_new(handle, topic.log().c_str(), nullptr);
    std::string value(bytes, 'x');
    double first = 0;  // finds the brokers, and gets its id from them
    rd_kafka_produce(log, 0, RD_KAFKA_MSG_F_COPY, value.data(), value.size(), nullptr, 0, &first);
    rd_kafka_flush(handle, 60'000);
    std::vector<double> took(static_cast<std::size_t>(count));
    const double began = seconds_now();
    for (int index = 0; index < count; ++index) {
        for (const double due = began + static_cast<double>(index) / a_second;;) {
            const double left = due - seconds_now();
            if (left <= 0) break;
            rd_kafka_poll(handle, std::max(1, static_cast<int>(left * 1000)));
        }
        double& at = took[static_cast<std::size_t>(index)];
        at = seconds_now();
        rd_kafka_produce(log, index % partitions, RD_KAFKA_MSG_F_COPY, value.data(), value.size(),
                         nullptr, 0, &at);
    }
    rd_kafka_flush(handle, 60'000);
    rd_kafka_topic_destroy(log);
    rd_kafka_destroy(handle);
    return took;
}

void consume_bare(const KafkaTopic& topic, std::int32_t partitions, std::int64_t count,
                  bool headers) {
    rd_kafka_t* handle = bare_handle(RD_KAFKA_CONSUMER, topic, false);
    rd_kafka_topic_t* log = rd_kafka_topic_new(handle, topic.log().c_str(), nullptr);
    rd_kafka_queue_t* queue = rd_kafka_queue_new(handle);
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
        rd_kafka_consume_start_queue(log, partition, 0, queue);
    }
    while (count > 0) {
        rd_kafka_message_t* message = rd_kafka_consume_queue(queue, 1000);
        if (message == nullptr) continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) --count;
        rd_kafka_headers_t* found = nullptr;
        if (headers) rd_kafka_message_headers(message, &found);
        rd_kafka_message_destroy(message);
    }
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
        rd_kafka_consume_stop(log, partition);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_destroy(log);
    rd_kafka_destroy(handle);
}

}  // namespace recount::bench
