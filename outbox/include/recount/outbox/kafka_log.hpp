#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <recount/eventstore/event_store.hpp>
#include <recount/eventstore/newest_heads.hpp>
#include <recount/outbox/kafka_topic.hpp>

namespace recount {

/// Which topic is read, and what stands in for what it has lost.
struct KafkaLogOptions {
    KafkaTopic topic;
    /// The store the topic carries, where it can be reached: fills what the topic has lost, and
    /// tells identity and heads. Without it both come from the topic's beats. Outlives the log.
    EventStore* store = nullptr;
    /// A relay that has not been heard of for so long is taken to be dead: three beats.
    Duration silence = std::chrono::seconds{3};
    Duration broker_timeout = std::chrono::seconds{10};  // for one answer
    Environment* environment = nullptr;                  // nothing: the store's, or the system's
};

/// What the relay said last.
struct PublishedHeads {
    std::vector<LogHead> heads;           // of the store, one a partition
    std::vector<std::int64_t> published;  // how much of it the relay knew to be in the topic
    Timestamp at;                         // by the relay's clock
    bool fresh = false;                   // false: the relay fell silent, how far behind is unknown
};

/// Records that are not recount's, or cannot be read: passed over, counted, the last one named.
struct ForeignRecords {
    std::int64_t count = 0;
    std::string last;  // "topic shop.log partition 3 offset 1042: …"
};

/// A store's log, read from the Kafka topic that carries it. Position after
/// position and nothing else: a replay is recognised and passed over, another history under a known
/// position is Divergence, a missing event is looked for in the whole topic, then taken from the
/// store where there is one, else it is Divergence. Payloads that the topic withholds come as
/// `withheld` events.
///
/// No consumer group, no committed offsets. Thread-safe; partitions are read independently. Reads
/// go forward without seeking while a partition is read at eight places or fewer; a partition's
/// readers wait for each other where its broker is silent.
///
///     recount::KafkaLog log{{.topic = {.brokers = "kafka:9092", .name = "shop"}}};
class KafkaLog : public Log, public TellsNewestHeads {
public:
    /// Throws Unavailable when no broker answers or, without a store, no relay was ever heard of;
    /// Mismatch when the topic is missing, has another partition count, or carries another store.
    explicit KafkaLog(KafkaLogOptions options);
    ~KafkaLog() override;
    KafkaLog(const KafkaLog&) = delete;
    KafkaLog& operator=(const KafkaLog&) = delete;

    [[nodiscard]] const StoreIdentity& identity() const override;
    Environment& environment() override;
    std::vector<Incarnation> incarnations() override;

    /// A filter is applied here: brokers have none, so all records come.
    /// Throws Divergence as above, Unavailable when the brokers do not answer.
    LogPage read(Partition partition, std::int64_t after, const ReadLog& options = {}) override;

    /// Asks the store, when it is at hand.
    void require_readable(std::span<const std::string_view> types) override;

    /// Places are offsets in the topic: a reader that begins behind a remembered one does not
    /// search (recount_log_searches_total).
    void remember(const Position& at, std::int64_t place) override;

    /// The store's own when it is at hand, else what the relay said last, or what was read here
    /// since; then throws Unavailable once the relay fell silent, because how far behind a reader
    /// is cannot be known.
    std::vector<LogHead> heads() override;
    /// The same, and how old they are: as the last beat, by the relay's clock. Unavailable also
    /// when the store at hand is a standby.
    NewestHeads newest_heads() override;
    /// The same of a silent relay, too, which it says: nothing when none was ever heard of. Throws
    /// Unavailable while no broker tells, Mismatch when the topic carries another store.
    std::optional<PublishedHeads> published();

    bool wait(const Positions& seen, Duration at_most, std::stop_token stop = {}) override;

    [[nodiscard]] ForeignRecords foreign() const;

private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace recount
