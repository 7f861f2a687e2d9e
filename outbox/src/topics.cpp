#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>
#include <recount/outbox/kafka_topic.hpp>

#include "kafka/admin.hpp"

namespace recount {
namespace {

constexpr std::int16_t wanted_replicas = 3;
constexpr std::int64_t batch_overhead = 4096;  // what Kafka adds around a single record
constexpr std::string_view for_ever = "-1";
constexpr Duration look_again = std::chrono::milliseconds{20};

std::string brokers_of(const kafka::Settings& settings) { return settings.at("bootstrap.servers"); }

std::string alter(const kafka::Settings& settings, const std::string& topic,
                  const std::string& config) {
    return "kafka-configs.sh --bootstrap-server " + brokers_of(settings) +
           " --alter --entity-type topics --entity-name " + topic + " --add-config " + config;
}

/// Kafka's rule, less the dots and underscores that collide in its metrics being warned about.
void check_name(const std::string& name) {
    constexpr std::size_t most = 200;  // Kafka's 249, less our suffixes
    const bool fits =
        !name.empty() && name.size() <= most && name != "." && name != ".." &&
        std::all_of(name.begin(), name.end(), [](unsigned char letter) {
            return std::isalnum(letter) != 0 || letter == '.' || letter == '_' || letter == '-';
        });
    if (!fits) {
        throw InvalidArgument("topic name '" + name +
                              "' is not 1 to 200 letters, digits, '.', '_' "
                              "or '-'; choose another");
    }
}

std::string config(const kafka::TopicSpec& topic, const std::string& name,
                   std::string_view otherwise) {
    const auto found = topic.configs.find(name);
    return found == topic.configs.end() ? std::string{otherwise} : found->second;
}

std::int64_t number(const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

void expect(const kafka::Settings& settings, const kafka::TopicSpec& topic, const std::string& name,
            const std::string& wanted, const std::string& why) {
    const std::string actual = config(topic, name, wanted);
    if (actual == wanted) return;
    throw Mismatch("topic " + topic.name + " has " + name + "=" + actual + ", expected " + wanted +
                   ": " + why +
                   "; mend it with: " + alter(settings, topic.name, name + "=" + wanted));
}

void expect_size(const kafka::Settings& settings, const kafka::TopicSpec& topic,
                 std::int64_t record_bytes) {
    const std::int64_t actual = number(config(topic, "max.message.bytes", "1048588"));
    if (actual >= record_bytes) return;
    throw Mismatch("topic " + topic.name + " takes messages of " + std::to_string(actual) +
                   " bytes, expected " + std::to_string(record_bytes) +
                   ": the store's largest events would not fit; mend it with: " +
                   alter(settings, topic.name,
                         "max.message.bytes=" + std::to_string(record_bytes + batch_overhead)));
}

void expect_replicas(const kafka::Settings& settings, const kafka::TopicSpec& topic) {
    expect(settings, topic, "unclean.leader.election.enable", "false",
           "a replica that lags could become leader and drop acknowledged events");
    if (topic.replication < 2) {
        spdlog::warn("topic {} has one replica: its events are as safe as one broker's disk",
                     topic.name);
        return;
    }
    const auto in_sync = number(config(topic, "min.insync.replicas", "1"));
    if (topic.replication >= wanted_replicas && in_sync < 2) {
        throw Mismatch("topic " + topic.name +
                       " has min.insync.replicas=" + std::to_string(in_sync) +
                       ", expected 2: acknowledged events could be on one broker only; mend it "
                       "with: " +
                       alter(settings, topic.name, "min.insync.replicas=2"));
    }
}

/// Brokers learn of a new topic one after the other.
void make(kafka::Admin& admin, const kafka::TopicSpec& topic, Duration timeout) {
    Environment& environment = Environment::system();
    admin.create(topic, timeout);
    const auto until = environment.clock.steady() + timeout;
    while (!admin.ready(topic.name, timeout)) {
        if (environment.clock.steady() > until) {
            throw Unavailable("topic " + topic.name +
                              " was made, but its partitions have no leaders; check the brokers");
        }
        environment.scheduler.sleep(look_again);
    }
}

kafka::TopicSpec existing(kafka::Admin& admin, const KafkaTopic& topic, const std::string& name,
                          Duration timeout) {
    auto found = admin.describe(name, timeout);
    if (!found) {
        throw Mismatch("topic " + name + " does not exist; create it with: recount topic create " +
                       topic.name + " (or recount::create_topics)");
    }
    return *found;
}

}  // namespace

std::string KafkaTopic::log(std::size_t incarnation) const {
    return name + ".log" + (incarnation == 0 ? std::string{} : "." + std::to_string(incarnation));
}

void create_topics(const KafkaTopic& topic, const CreateTopics& options) {
    check_name(topic.name);
    kafka::Admin admin{kafka::client_settings(topic)};
    std::int16_t replication = options.replication;
    if (replication == 0) {
        const auto brokers =
            std::min<std::int32_t>(admin.brokers(options.timeout), wanted_replicas);
        replication = static_cast<std::int16_t>(std::max<std::int32_t>(brokers, 1));
    }
    const std::string in_sync = replication >= wanted_replicas ? "2" : "1";

    kafka::TopicSpec log{topic.log(options.incarnation), options.partitions, replication, {}};
    log.configs = {{"cleanup.policy", "delete"},
                   {"retention.ms", std::string{for_ever}},
                   {"retention.bytes", std::string{for_ever}},
                   {"max.message.bytes", std::to_string(options.record_bytes + batch_overhead)},
                   {"min.insync.replicas", in_sync},
                   {"unclean.leader.election.enable", "false"}};
    make(admin, log, options.timeout);

    kafka::TopicSpec heads{topic.heads(), 1, replication, {}};
    // Small segments, because compaction leaves the one being written alone.
    heads.configs = {{"cleanup.policy", "compact"},
                     {"segment.bytes", "16777216"},
                     {"min.cleanable.dirty.ratio", "0.1"},
                     {"min.insync.replicas", in_sync},
                     {"unclean.leader.election.enable", "false"}};
    make(admin, heads, options.timeout);
}

void check_topics(const KafkaTopic& topic, const TopicRules& rules, std::size_t incarnation) {
    check_name(topic.name);
    const kafka::Settings settings = kafka::client_settings(topic);
    kafka::Admin admin{settings};

    const auto log = existing(admin, topic, topic.log(incarnation), rules.timeout);
    if (log.partitions != rules.partitions) {
        throw Mismatch("topic " + log.name + " has " + std::to_string(log.partitions) +
                       " partitions, expected the store's " + std::to_string(rules.partitions) +
                       ": partition p of the store is partition p of the topic, and Kafka cannot "
                       "take partitions away; create a topic of another name and let the relay "
                       "fill it");
    }
    expect(settings, log, "cleanup.policy", "delete",
           "compaction keeps only the last event of each stream");
    if (!rules.allow_retention) {
        expect(settings, log, "retention.ms", std::string{for_ever}, "old events would be deleted");
        expect(settings, log, "retention.bytes", std::string{for_ever},
               "old events would be deleted");
    }
    expect_size(settings, log, rules.record_bytes);
    expect_replicas(settings, log);

    const auto heads = existing(admin, topic, topic.heads(), rules.timeout);
    if (heads.partitions != 1) {
        throw Mismatch("topic " + heads.name + " has " + std::to_string(heads.partitions) +
                       " partitions, expected 1; delete it and create it with: recount topic "
                       "create " +
                       topic.name);
    }
    expect(settings, heads, "cleanup.policy", "compact", "the last beat must stay");
}

}  // namespace recount
