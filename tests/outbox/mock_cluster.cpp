#include "outbox/mock_cluster.hpp"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <stdexcept>

namespace recount::test {

struct MockCluster::Parts {
    rd_kafka_t* handle = nullptr;
    rd_kafka_mock_cluster_t* cluster = nullptr;
};

MockCluster::MockCluster(int brokers) : parts_(std::make_unique<Parts>()) {
    std::array<char, 256> error{};
    parts_->handle =
        rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error.data(), error.size());
    if (parts_->handle == nullptr) throw std::runtime_error(error.data());
    parts_->cluster = rd_kafka_mock_cluster_new(parts_->handle, brokers);
}

MockCluster::~MockCluster() {
    rd_kafka_mock_cluster_destroy(parts_->cluster);
    rd_kafka_destroy(parts_->handle);
}

std::string MockCluster::brokers() const {
    return rd_kafka_mock_cluster_bootstraps(parts_->cluster);
}

KafkaTopic MockCluster::make_topic(const std::string& name, std::int32_t partitions) {
    KafkaTopic topic{.brokers = brokers(), .name = name};
    rd_kafka_mock_topic_create(parts_->cluster, topic.log().c_str(), partitions, 1);
    rd_kafka_mock_topic_create(parts_->cluster, topic.heads().c_str(), 1, 1);
    return topic;
}

void MockCluster::fail(std::int16_t request, const std::vector<int>& codes) {
    for (const int code : codes) {
        rd_kafka_mock_push_request_errors(parts_->cluster, request, 1,
                                          static_cast<rd_kafka_resp_err_t>(code));
    }
}

void MockCluster::fail_produce(const std::vector<int>& codes) { fail(0, codes); }
void MockCluster::fail_list_offsets(const std::vector<int>& codes) { fail(2, codes); }
void MockCluster::fail_topic(const std::string& topic, int code) {
    rd_kafka_mock_topic_set_error(parts_->cluster, topic.c_str(),
                                  static_cast<rd_kafka_resp_err_t>(code));
}
void MockCluster::take_down(int broker) { rd_kafka_mock_broker_set_down(parts_->cluster, broker); }
void MockCluster::bring_up(int broker) { rd_kafka_mock_broker_set_up(parts_->cluster, broker); }
void MockCluster::lead(const std::string& topic, std::int32_t partition, int broker) {
    rd_kafka_mock_partition_set_leader(parts_->cluster, topic.c_str(), partition, broker);
}

}  // namespace recount::test
