#include <recount/outbox/relay.hpp>

#include <utility>

#include <recount/core/error.hpp>

#include "beat_reader.hpp"
#include "kafka/admin.hpp"
#include "publisher.hpp"
#include "relay_loop.hpp"

namespace recount {
namespace {

/// The beats say whose topic it is, even while nothing was published yet.
void refuse_another_stores(const RelayOptions& options, const EventStore& store,
                           Environment& environment) {
    const KafkaLogOptions reading{.topic = options.topic, .broker_timeout = options.broker_timeout};
    BeatReader beats{reading, environment};
    const auto& beat = beats.newest();
    if (!beat || beat->identity.id == store.identity().id) return;
    throw Mismatch("topic " + options.topic.name + " carries store " + beat->identity.name + " (" +
                   to_string(beat->identity.id) + "), expected " + store.identity().name + " (" +
                   to_string(store.identity().id) +
                   "); give each store a topic name of its own, or delete " + beat->log + " and " +
                   options.topic.heads() + " when that store is gone");
}

bool is_there(const RelayOptions& options, const std::string& topic) {
    kafka::Admin admin{kafka::client_settings(options.topic)};
    return admin.describe(topic, options.broker_timeout).has_value();
}

/// Nothing is sent to a topic that would lose it, and none is made under another store's name.
void prepare_topics(const RelayOptions& options, EventStore& store, std::size_t incarnation) {
    if (is_there(options, options.topic.heads())) {
        refuse_another_stores(options, store, store.environment());
    }
    if (incarnation > 0 || options.create_topics) {
        // At a fork unasked: no record of the dead branch can be in the new one.
        create_topics(options.topic, {.partitions = store.identity().partitions,
                                      .record_bytes = record_bytes(options, store),
                                      .incarnation = incarnation,
                                      .allow_retention = options.allow_retention,
                                      .timeout = options.broker_timeout});
    }
    check_topics(options.topic,
                 {.partitions = store.identity().partitions,
                  .record_bytes = record_bytes(options, store),
                  .allow_retention = options.allow_retention,
                  .timeout = options.broker_timeout},
                 incarnation);
}

}  // namespace

class Relay::Parts {
public:
    Parts(EventStore& store, RelayOptions options)
        : options_(std::move(options)), loop_(store, task(store)) {}

    RelayLoop& loop() { return loop_; }

private:
    RelayTask task(EventStore& store) {
        static_cast<void>(kafka::client_settings(options_.topic));  // complain early
        RelayTask task;
        task.name = options_.topic.name;
        task.lease = "relay " + options_.topic.name;
        task.beat = options_.beat;
        task.lease_lifetime = options_.lease;
        task.broker_timeout = options_.broker_timeout;
        task.prepare = [&](std::size_t incarnation) {
            prepare_topics(options_, store, incarnation);
        };
        task.topic_is_there = [&](std::size_t incarnation) {
            return is_there(options_, options_.topic.log(incarnation)) &&
                   is_there(options_, options_.topic.heads());
        };
        task.key = [&](std::size_t incarnation) { return options_.topic.log(incarnation); };
        task.publish = [&](const Progress& saved) {
            return std::make_unique<Publisher>(store, options_, saved.cursors);
        };
        return task;
    }

    RelayOptions options_;
    RelayLoop loop_;
};

Relay::Relay(EventStore& store, RelayOptions options)
    : parts_(std::make_unique<Parts>(store, std::move(options))) {}
Relay::~Relay() = default;

std::int64_t Relay::catch_up() { return parts_->loop().catch_up(); }
std::string Relay::run(std::stop_token stop) { return parts_->loop().run(std::move(stop)); }

}  // namespace recount
