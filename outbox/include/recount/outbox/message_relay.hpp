#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include <recount/eventstore/event_store.hpp>
#include <recount/outbox/kafka_topic.hpp>
#include <recount/outbox/message.hpp>

namespace recount {

/// Where integration messages go to, and how they are framed.
struct MessageRelayOptions {
    KafkaTopic topic;         // its name is the topic's own: nothing is put behind it
    std::string source = {};  // CloudEvents' source, at most 1 KiB; empty: "urn:uuid:<store id>"
    /// When given, values are framed as Confluent's serialisers do it, under the id that this gives
    /// for a type (its full name). Asked for each message, and again while that has to wait, so it
    /// should remember; what it throws stops the relay.
    std::function<std::int32_t(const std::string& type)> schema_id = {};
    /// Only while there is no cursor for this topic yet: tells what is appended from now on, and
    /// nothing before.
    bool from_head = false;
    Duration linger = std::chrono::milliseconds{1};  // how long a record waits for company
    Duration save = std::chrono::seconds{1};         // how often the cursor follows
    Duration lease = std::chrono::seconds{3};  // a relay that fell silent is replaced after so long
    std::int64_t record_bytes = std::int64_t{1} << 20;   // the largest message, headers and all
    Duration broker_timeout = std::chrono::seconds{20};  // for one answer, at start and in checks
};

/// Publishes what a mapping makes of a store's events to a topic of its own, for other teams: every
/// message at least once, those of a stream and key in order, repeated ones recognised by their id
/// alone: behind the fork of a declared restore new messages come with positions that were there
/// before. It keeps a cursor for each of the store's partitions, which passes an event once all of
/// its messages are confirmed. Lease, standby, producer and the way back after errors are those of
/// Relay.
///
/// One thread uses it. The store outlives it.
///
///     recount::MessageRelay relay{*store, recount::messages<PublicOrders>(),
///                                 {.topic = {.brokers = "kafka:9092", .name = "public.orders"}}};
///     std::jthread relaying{[&](std::stop_token stop) { relay.run(stop); }};
class MessageRelay {
public:
    /// Throws InvalidArgument for a name or settings that cannot be used, Unavailable while the
    /// store's database cannot be reached.
    MessageRelay(EventStore& store, MessageMapping mapping, MessageRelayOptions options);
    ~MessageRelay();  // gives the lease back
    MessageRelay(const MessageRelay&) = delete;
    MessageRelay& operator=(const MessageRelay&) = delete;

    /// Publishes what the store holds now, and returns when all of it is confirmed and the cursor
    /// stands behind it: the number of messages sent. Throws Fenced while another relay works,
    /// Mismatch for a topic that is missing, lost records or got other partitions, Divergence when
    /// the store was restored and that was not declared, UnreadableEvent when the mapping failed,
    /// Unavailable when store or brokers do not answer; the lease is given back then.
    std::int64_t catch_up();

    /// Publishes until asked to stop. Waits for the lease while another relay has it; gets over
    /// everything that time may heal, with a growing pause. Never throws: returns why it ended.
    std::string run(std::stop_token stop);

private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace recount
