#pragma once

#include <map>
#include <string>

#include <recount/outbox/kafka_topic.hpp>

namespace recount::kafka {

/// librdkafka properties by name. May hold secrets: never log it.
using Settings = std::map<std::string, std::string>;

/// Those of the environment (RECOUNT_KAFKA_*), then the topic's own, then its brokers. Throws
/// InvalidArgument for a property on which recount's promises rest, or when no broker is named.
Settings client_settings(const KafkaTopic& topic);

}  // namespace recount::kafka
