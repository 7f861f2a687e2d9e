#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <recount/outbox/kafka_topic.hpp>

#include "kafka/admin.hpp"

namespace recount {

constexpr std::int16_t wanted_replicas = 3;
constexpr std::int64_t batch_overhead = 4096;  // what Kafka adds around a single record

/// What is wrong with one topic, in the order in which it was looked at.
class TopicInspection {
public:
    TopicInspection(const kafka::Settings& settings, const kafka::TopicSpec& topic,
                    std::vector<TopicProblem>& problems)
        : settings_(settings), topic_(topic), problems_(problems) {}

    void expect(const std::string& name, const std::string& wanted, const std::string& why);
    void partitions(std::int32_t wanted, const std::string& why, const std::string& mend);
    void size(std::int64_t record_bytes);
    void replicas(std::int16_t at_least);
    void times();
    /// False when it asks for more replicas in sync than there are.
    bool can_be_written();

private:
    void in_sync();
    void add(TopicProblem problem);
    [[nodiscard]] const std::string& brokers() const { return settings_.at("bootstrap.servers"); }
    [[nodiscard]] std::string alter(const std::string& change) const;

    const kafka::Settings& settings_;
    const kafka::TopicSpec& topic_;
    std::vector<TopicProblem>& problems_;
};

}  // namespace recount
