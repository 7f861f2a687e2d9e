#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <recount/core/environment.hpp>

#include "kafka/settings.hpp"

namespace recount::kafka {

struct TopicSpec {
    std::string name;
    std::int32_t partitions = 1;
    std::int16_t replication = 1;
    std::map<std::string, std::string> configs;
};

/// Asks for and makes topics; never by accident. One thread at a time. Throws Unavailable when no
/// broker answers in time.
class Admin {
public:
    explicit Admin(const Settings& settings);
    ~Admin();
    Admin(const Admin&) = delete;
    Admin& operator=(const Admin&) = delete;

    /// Partitions, replication (of the partition that has least) and every config of a topic;
    /// nothing when there is none.
    std::optional<TopicSpec> describe(const std::string& topic, Duration at_most);
    /// False when it was there already. Throws Mismatch when the brokers refuse.
    bool create(const TopicSpec& spec, Duration at_most);
    /// Whether each partition of a topic has a leader already: a topic that was just made has not.
    bool ready(const std::string& topic, Duration at_most);
    std::int32_t brokers(Duration at_most);

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace recount::kafka
