#include <recount/outbox/message_relay.hpp>

#include <utility>

#include <recount/core/error.hpp>

#include "kafka/admin.hpp"
#include "message_publisher.hpp"
#include "relay_loop.hpp"

namespace recount {
namespace {

constexpr std::size_t most_name_bytes = 200;

MessageMapping checked(MessageMapping mapping) {
    if (mapping.name.empty() || mapping.name.size() > most_name_bytes || !mapping.publish) {
        throw InvalidArgument("mapping '" + mapping.name +
                              "' needs a name of 1 to 200 bytes and a function");
    }
    return mapping;
}

}  // namespace

class MessageRelay::Parts {
public:
    Parts(EventStore& store, MessageMapping mapping, MessageRelayOptions options)
        : mapping_(checked(std::move(mapping))),
          options_(std::move(options)),
          loop_(store, task(store)) {}

    RelayLoop& loop() { return loop_; }

private:
    RelayTask task(EventStore& store) {
        static_cast<void>(kafka::client_settings(options_.topic));  // complain early
        RelayTask task;
        task.name = options_.topic.name;
        // No topic's name has a slash: the relay of the log cannot be meant.
        task.lease = "messages/" + options_.topic.name;
        task.beat = options_.save;
        task.lease_lifetime = options_.lease;
        task.broker_timeout = options_.broker_timeout;
        task.prepare = [&](std::size_t) {
            check_message_topic(options_.topic, {.record_bytes = options_.record_bytes,
                                                 .timeout = options_.broker_timeout});
        };
        task.topic_is_there = [&](std::size_t) {
            kafka::Admin admin{kafka::client_settings(options_.topic)};
            return admin.describe(options_.topic.name, options_.broker_timeout).has_value();
        };
        // The topic and with it the cursor stay the same after a restore.
        task.key = [lease = task.lease](std::size_t) { return lease; };
        task.publish = [&](const Progress& saved) {
            return std::make_unique<MessagePublisher>(store, mapping_, options_, saved);
        };
        return task;
    }

    MessageMapping mapping_;
    MessageRelayOptions options_;
    RelayLoop loop_;
};

MessageRelay::MessageRelay(EventStore& store, MessageMapping mapping, MessageRelayOptions options)
    : parts_(std::make_unique<Parts>(store, std::move(mapping), std::move(options))) {}
MessageRelay::~MessageRelay() = default;

std::int64_t MessageRelay::catch_up() { return parts_->loop().catch_up(); }
std::string MessageRelay::run(std::stop_token stop) { return parts_->loop().run(std::move(stop)); }

}  // namespace recount
