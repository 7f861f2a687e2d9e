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

/// A line of librdkafka's log, or the reason of its error, cut before what is secret: settings that
/// RECOUNT_KAFKA_DEBUG=conf lists, of which it hides most itself, and those that it quotes.
std::string_view without_secret(std::string_view facility, std::string_view line);

}  // namespace recount::kafka
