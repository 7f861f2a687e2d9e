#pragma once

/// Everything of recount::outbox: the relay that publishes a store's log to Kafka, the log that
/// reads it from there, and the audit that compares the two.

#include <recount/outbox/audit.hpp>
#include <recount/outbox/kafka_log.hpp>
#include <recount/outbox/kafka_topic.hpp>
#include <recount/outbox/relay.hpp>
