// What foreign programs and operators do to a topic.

#include <librdkafka/rdkafka.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "kafka/admin.hpp"
#include "outbox/kit.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

constexpr int timeout_ms = 30000;

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Delete {
    void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
    void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
    void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};

void require(bool fine, const std::string& what) {
    if (!fine) throw std::runtime_error("the test's own Kafka client: " + what);
}

std::unique_ptr<rd_kafka_t, Delete> producer(const KafkaTopic& topic, const Pairs& more = {}) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> error{};
    Pairs settings{{"bootstrap.servers", topic.brokers}};
    settings.insert(settings.end(), more.begin(), more.end());
    for (const auto& [name, value] : settings) {
        require(rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error.data(), error.size()) ==
                    RD_KAFKA_CONF_OK,
                error.data());
    }
    std::unique_ptr<rd_kafka_t, Delete> handle{
        rd_kafka_new(RD_KAFKA_PRODUCER, conf, error.data(), error.size())};
    require(handle != nullptr, error.data());
    return handle;
}

void no_error(rd_kafka_error_t* error) {
    if (error == nullptr) return;
    const std::string text = rd_kafka_error_string(error);
    rd_kafka_error_destroy(error);
    throw std::runtime_error("the test's own Kafka client: " + text);
}

void send(rd_kafka_t* handle, const std::string& topic, std::int32_t partition,
          const RawRecord& record) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size() + 1);
    for (const auto& [name, value] : record.headers) {
        rd_kafka_header_add(headers, name.data(), static_cast<std::int64_t>(name.size()),
                            value.data(), static_cast<std::int64_t>(value.size()));
    }
    std::array<rd_kafka_vu_t, 7> units{};
    units[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    units[0].u.cstr = topic.c_str();
    units[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    units[1].u.i32 = partition;
    units[2].vtype = RD_KAFKA_VTYPE_KEY;
    units[2].u.mem = {const_cast<char*>(record.key.data()), record.key.size()};
    units[3].vtype = RD_KAFKA_VTYPE_VALUE;
    if (record.value) {
        units[3].u.mem = {const_cast<char*>(record.value->data()), record.value->size()};
    }
    units[4].vtype = RD_KAFKA_VTYPE_HEADERS;
    units[4].u.headers = headers;
    units[5].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    units[5].u.i = RD_KAFKA_MSG_F_COPY;
    const auto since_1970 = record.time.value_or(Timestamp{}).time_since_epoch();
    units[6].vtype = RD_KAFKA_VTYPE_TIMESTAMP;  // 0: now
    units[6].u.i64 = std::chrono::floor<std::chrono::milliseconds>(since_1970).count();
    no_error(rd_kafka_produceva(handle, units.data(), units.size()));
}

void finish(rd_kafka_t* handle) {
    require(rd_kafka_flush(handle, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR, "flush");
}

/// Waits for the answer to an admin request.
struct Admin {
    explicit Admin(const KafkaTopic& topic)
        : handle(producer(topic)), queue(rd_kafka_queue_new(handle.get())) {}

    void answered(const std::string& what) {
        std::unique_ptr<rd_kafka_event_t, Delete> event{
            rd_kafka_queue_poll(queue.get(), timeout_ms)};
        require(event != nullptr, what + ": no answer");
        require(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR,
                what + ": " + rd_kafka_event_error_string(event.get()));
    }

    std::unique_ptr<rd_kafka_t, Delete> handle;
    std::unique_ptr<rd_kafka_queue_t, Delete> queue;
};

}  // namespace

void produce_foreign(const KafkaTopic& topic, const std::string& full_name, std::int32_t partition,
                     const std::string& key, const std::string& value, const Pairs& headers) {
    const auto handle = producer(topic);
    send(handle.get(), full_name, partition, {0, key, value, headers});
    finish(handle.get());
}

void produce_again(const KafkaTopic& topic, const std::string& full_name, std::int32_t partition,
                   const std::vector<RawRecord>& records) {
    const auto handle = producer(topic, {{"enable.idempotence", "true"}});
    for (const auto& record : records) send(handle.get(), full_name, partition, record);
    finish(handle.get());
}

namespace {

std::unique_ptr<rd_kafka_t, Delete> begin_transaction(const KafkaTopic& topic,
                                                      const std::string& full_name,
                                                      std::int32_t partition, int count) {
    auto handle = producer(topic, {{"transactional.id", full_name + " foreign"}});
    no_error(rd_kafka_init_transactions(handle.get(), timeout_ms));
    no_error(rd_kafka_begin_transaction(handle.get()));
    for (int index = 0; index < count; ++index) {
        send(handle.get(), full_name, partition, {0, "foreign", std::string{"value"}, {}});
    }
    finish(handle.get());
    return handle;
}

}  // namespace

void produce_in_transaction(const KafkaTopic& topic, const std::string& full_name,
                            std::int32_t partition, int count, bool commit) {
    const auto handle = begin_transaction(topic, full_name, partition, count);
    no_error(commit ? rd_kafka_commit_transaction(handle.get(), timeout_ms)
                    : rd_kafka_abort_transaction(handle.get(), timeout_ms));
}

void leave_transaction_open(const KafkaTopic& topic, const std::string& full_name,
                            std::int32_t partition) {
    begin_transaction(topic, full_name, partition, 1);
}

void delete_records(const KafkaTopic& topic, const std::string& full_name, std::int32_t partition,
                    std::int64_t before_offset) {
    Admin admin{topic};
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, full_name.c_str(), partition)->offset = before_offset;
    rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(admin.handle.get(), &request, 1, nullptr, admin.queue.get());
    admin.answered("delete records of " + full_name);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
}

void delete_topic(const KafkaTopic& topic, const std::string& full_name) {
    Admin admin{topic};
    rd_kafka_DeleteTopic_t* request = rd_kafka_DeleteTopic_new(full_name.c_str());
    rd_kafka_DeleteTopics(admin.handle.get(), &request, 1, nullptr, admin.queue.get());
    admin.answered("delete topic " + full_name);
    rd_kafka_DeleteTopic_destroy(request);
}

void add_partitions(const KafkaTopic& topic, const std::string& full_name, std::int32_t total) {
    Admin admin{topic};
    std::array<char, 512> error{};
    rd_kafka_NewPartitions_t* request = rd_kafka_NewPartitions_new(
        full_name.c_str(), static_cast<std::size_t>(total), error.data(), error.size());
    rd_kafka_CreatePartitions(admin.handle.get(), &request, 1, nullptr, admin.queue.get());
    admin.answered("add partitions to " + full_name);
    rd_kafka_NewPartitions_destroy(request);
}

void create_plain_topic(const KafkaTopic& topic, const std::string& full_name,
                        std::int32_t partitions, const Pairs& configs) {
    Admin admin{topic};
    std::array<char, 512> error{};
    rd_kafka_NewTopic_t* request =
        rd_kafka_NewTopic_new(full_name.c_str(), partitions, 1, error.data(), error.size());
    for (const auto& [name, value] : configs) {
        rd_kafka_NewTopic_set_config(request, name.c_str(), value.c_str());
    }
    rd_kafka_CreateTopics(admin.handle.get(), &request, 1, nullptr, admin.queue.get());
    admin.answered("create topic " + full_name);
    rd_kafka_NewTopic_destroy(request);
    kafka::Admin looking{kafka::client_settings(topic)};
    require(eventually([&] { return looking.ready(full_name, std::chrono::seconds{5}); }),
            "topic " + full_name + " is not led");
}

PartitionState state_of(const KafkaTopic& topic, const std::string& full_name,
                        std::int32_t partition) {
    const auto handle = producer(topic);
    rd_kafka_topic_t* one = rd_kafka_topic_new(handle.get(), full_name.c_str(), nullptr);
    const struct rd_kafka_metadata* metadata = nullptr;
    const auto error = rd_kafka_metadata(handle.get(), 0, one, &metadata, timeout_ms);
    rd_kafka_topic_destroy(one);
    require(error == RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_err2str(error));
    PartitionState state;
    const auto& its = metadata->topics[0];
    for (int index = 0; index < its.partition_cnt; ++index) {
        if (its.partitions[index].id != partition) continue;
        state = {its.partitions[index].leader, its.partitions[index].isr_cnt};
    }
    rd_kafka_metadata_destroy(metadata);
    return state;
}

}  // namespace recount::test
