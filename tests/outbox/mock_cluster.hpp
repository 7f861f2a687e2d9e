#pragma once

#include <recount/outbox/kafka_topic.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace recount::test {

/// librdkafka's own imitation of a cluster, in this process: for faults that a real broker cannot
/// be made to have. It answers no admin requests.
class MockCluster {
public:
    explicit MockCluster(int brokers = 3);
    ~MockCluster();
    MockCluster(const MockCluster&) = delete;
    MockCluster& operator=(const MockCluster&) = delete;

    [[nodiscard]] std::string brokers() const;
    /// A topic's log and heads.
    KafkaTopic make_topic(const std::string& name, std::int32_t partitions);

    /// The next produce requests fail with these Kafka error codes.
    void fail_produce(const std::vector<int>& codes);
    /// And the next questions where a partition begins and ends.
    void fail_list_offsets(const std::vector<int>& codes);
    /// What the brokers say of the topic when asked what it is; 0: all is well.
    void fail_topic(const std::string& topic, int code);
    void take_down(int broker);
    void bring_up(int broker);
    void lead(const std::string& topic, std::int32_t partition, int broker);

private:
    /// `request` by its number in Kafka's protocol.
    void fail(std::int16_t request, const std::vector<int>& codes);

    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace recount::test
