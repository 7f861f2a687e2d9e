#pragma once

/// Everything of recount::outbox: the relay that publishes a store's log to Kafka, and the log that
/// reads it from there.

#include <recount/outbox/kafka_log.hpp>
#include <recount/outbox/kafka_topic.hpp>
#include <recount/outbox/relay.hpp>
