#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <recount/core/environment.hpp>
#include <recount/eventstore/event_store.hpp>

namespace recount {

/// The Kafka topics that carry one store's log: `<name>.log` with the events, partition to
/// partition, and `<name>.heads` with a beat a second. A value; holds secrets when `properties`
/// does: never log it.
///
///     recount::KafkaTopic topic{.brokers = "kafka-1:9092,kafka-2:9092", .name = "shop"};
struct KafkaTopic {
    std::string brokers;  // "host:port,host:port"; empty: KAFKA_BOOTSTRAP_SERVERS
    std::string name;
    /// librdkafka's own (TLS, SASL, …), over those of the environment: RECOUNT_KAFKA_SASL_USERNAME
    /// is sasl.username; RECOUNT_KAFKA_SASL_PASSWORD_FILE names a file that holds sasl.password.
    /// What recount's promises rest on (idempotence, acks, offsets) cannot be set: InvalidArgument.
    std::map<std::string, std::string> properties = {};

    /// The topic of a store's k-th incarnation: `<name>.log`, after a lossy fork `<name>.log.<k>`.
    [[nodiscard]] std::string log(std::size_t incarnation = 0) const;
    [[nodiscard]] std::string heads() const { return name + ".heads"; }
};

/// What a log topic must be like, so that nothing is lost in it.
struct TopicRules {
    std::int32_t partitions = 16;                       // the store's
    std::int64_t record_bytes = std::int64_t{1} << 20;  // the largest record, headers and all
    /// Readers without a store stop at what retention has deleted, so a log topic keeps everything
    /// unless this is set.
    bool allow_retention = false;
    std::int16_t replication = 0;  // at least so many replicas; 0: one is only advised against
    Duration timeout = std::chrono::seconds{20};
};

/// A setting of a topic that is not as it must be.
struct TopicProblem {
    std::string topic;
    std::string setting;  // "partitions", "replication", "retention.ms", …; "" when it is missing
    std::string found;    // its value
    std::string expected;  // one that would do
    std::string why;       // what would happen with it
    std::string mend;      // the command, or what else to do
    bool advice = false;   // events are not lost because of it alone

    /// One line of all of it.
    [[nodiscard]] std::string text() const;
};

struct CreateTopics {
    std::int32_t partitions = 16;
    /// 0: as many as the heads topic has; when that is not there, three, or as many as there are
    /// brokers just then.
    std::int16_t replication = 0;
    std::int64_t record_bytes = std::int64_t{1} << 20;
    std::size_t incarnation = 0;   // how many lossy forks the store has seen
    bool allow_retention = false;  // of one that exists already
    Duration timeout = std::chrono::seconds{20};
};

/// For TopicRules::record_bytes and CreateTopics::record_bytes: up to what a record may have of a
/// store into which no more than this gets. 1 MiB at least, the default's, because other programs
/// may append with that; 100 MB at most, which brokers and their clients take unless told
/// otherwise.
std::int64_t largest_record(const AppendLimits& limits);

/// The size of the largest record that a relay sends of what a store holds. Reads all of it.
std::int64_t largest_record(EventStore& store);

/// Makes the topics that are not there yet: kept for ever, never compacted (heads: compacted), at
/// least two replicas in sync where there are three. Existing ones are left as they are; when they
/// would be refused by check_topics(), nothing is made. Nothing else in recount creates a topic,
/// but for a relay that is told to, and the relay's `<name>.log.<k>` after a lossy fork. Throws
/// InvalidArgument for an unusable name, Unavailable when no broker answers or too few are there
/// for the replicas, Mismatch when one exists and differs or the brokers refuse.
void create_topics(const KafkaTopic& topic, const CreateTopics& options = {});

/// What is wrong with the topics: missing, or set so that events would be lost or refused:
/// partition count, replicas, compaction, retention, message size, replicas in sync, unclean
/// elections. Empty when they are fine. Throws InvalidArgument for an unusable name, Unavailable
/// when no broker answers.
std::vector<TopicProblem> inspect_topics(const KafkaTopic& topic, const TopicRules& rules = {},
                                         std::size_t incarnation = 0);

/// The same, but throws Mismatch with the first problem (advice is logged). The message holds the
/// command that mends it.
void check_topics(const KafkaTopic& topic, const TopicRules& rules = {},
                  std::size_t incarnation = 0);

/// Of a topic for messages (MessageRelay), which somebody else makes as its readers need it: throws
/// Mismatch when it is missing, too small for `record_bytes`, or could lose what was acknowledged.
void check_message_topic(const KafkaTopic& topic, const TopicRules& rules = {});

}  // namespace recount
