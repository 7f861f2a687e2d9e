#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <recount/eventstore/event_store.hpp>
#include <recount/outbox/kafka_topic.hpp>

namespace recount {

/// Where a relay publishes to, what it holds back and how it shares the work with others.
struct RelayOptions {
    KafkaTopic topic;
    /// Events of these categories are published without their payload: digest and position still
    /// go, so that the chain holds.
    std::vector<std::string> withhold = {"saga"};
    std::string source = {};  // CloudEvents' source, at most 1 KiB; empty: "urn:uuid:<store id>"
    Duration linger = std::chrono::milliseconds{1};  // how long a record waits for company
    Duration beat = std::chrono::seconds{1};
    Duration lease = std::chrono::seconds{3};  // a relay that fell silent is replaced after so long
    /// Makes the topics as create_topics() does when they are not there; without it they are an
    /// operator's to make, and one that is missing ends the relay.
    bool create_topics = false;
    bool allow_retention = false;  // see TopicRules
    /// See TopicRules. Nothing: what the store's limits allow (EventStore::limits).
    std::optional<std::int64_t> record_bytes = {};
    Duration broker_timeout = std::chrono::seconds{20};  // for one answer, at start and in checks
};

/// Publishes a store's log to Kafka: partition to partition, in order, every event, and a beat a
/// second. It keeps nothing but a cursor for each partition, which moves behind
/// confirmed deliveries only; on start it looks at the end of each topic partition and continues
/// behind what is really there. Of several relays of one store and topic one works (a lease), the
/// others stand by. Cursor and lease live in the store's database; for SQLite the cursor in the
/// file beside it (`<path>.relay`), for a store in memory in memory.
///
/// One thread uses it. The store outlives it.
///
///     recount::Relay relay{*store, {.topic = {.brokers = "kafka:9092", .name = "shop"}}};
///     std::jthread relaying{[&](std::stop_token stop) { relay.run(stop); }};
class Relay {
public:
    Relay(EventStore& store, RelayOptions options);
    ~Relay();  // gives the lease back
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    /// Publishes what the store holds now, and returns when all of it is confirmed and the cursor
    /// stands behind it: the number of records sent. Throws Fenced while another relay works,
    /// Mismatch for topics on which events would be lost, Divergence when topic and store tell two
    /// histories, Unavailable when store or brokers do not answer; the lease is given back then.
    std::int64_t catch_up();

    /// Publishes until asked to stop. Waits for the lease while another relay has it; gets over
    /// everything that time may heal, with a growing pause. Never throws: returns why it ended.
    std::string run(std::stop_token stop);

private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace recount
