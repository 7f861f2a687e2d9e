#pragma once

#include <map>
#include <string>
#include <string_view>

#include <recount/outbox/kafka_topic.hpp>

namespace recount::kafka {

/// librdkafka properties by name. May hold secrets: never log it.
using Settings = std::map<std::string, std::string>;

/// Those of the environment (RECOUNT_KAFKA_*), then the topic's own, then its brokers. Throws
/// InvalidArgument for a property on which recount's promises rest, or when no broker is named.
Settings client_settings(const KafkaTopic& topic);

/// A line of librdkafka's log, cut before the value where it lists a setting that is secret, for
/// RECOUNT_KAFKA_DEBUG=conf: it hides most itself, but not the secret of OAuth's client.
std::string_view without_secret(std::string_view facility, std::string_view line);

}  // namespace recount::kafka
