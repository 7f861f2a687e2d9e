#pragma once

/// Everything of recount::outbox: the relay that publishes a store's log to Kafka, the log that
/// reads it from there, the audit that compares the two, and messages for other teams.

#include <recount/outbox/audit.hpp>
#include <recount/outbox/kafka_log.hpp>
#include <recount/outbox/kafka_topic.hpp>
#include <recount/outbox/message.hpp>
#include <recount/outbox/message_relay.hpp>
#include <recount/outbox/relay.hpp>
