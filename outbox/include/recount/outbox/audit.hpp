#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <recount/eventstore/event_store.hpp>
#include <recount/outbox/kafka_topic.hpp>
#include <recount/outbox/relay.hpp>

namespace recount {

/// Something in the topic that is not simply the next event of the store.
struct AuditFinding {
    enum class Kind : std::uint8_t {
        missing,       // not in the topic, though later ones are or the relay had it confirmed
        differing,     // there, but not as the store has it: `field` says what
        extra,         // behind the store's head
        out_of_order,  // only before its predecessor, so that "last + 1 only" never applies it
        foreign,       // no record of recount's; readers pass it over
        replayed,      // there before, and equal; readers pass it over
        mended,        // was missing or out of order when last looked at, and came since
    };
    Kind kind = Kind::missing;
    Partition partition;
    std::int64_t first = 0;  // positions first to last; 0: it has none
    std::int64_t last = 0;
    std::int64_t offset = -1;  // of the (first) record; -1: there is none
    std::string field = {};    // of `differing`: "hash", "payload", "header ce_time", …
    std::string what;          // topic, partition, offset, expected, found, what to do

    /// False for what disturbs no reader: foreign, replayed, mended.
    [[nodiscard]] bool difference() const { return kind <= Kind::out_of_order; }
};

const char* to_string(AuditFinding::Kind kind);

/// How far a partition is proved. With it an audit can go on where another ended.
struct AuditPlace {
    std::int64_t n = 0;       // topic = store up to here
    Hash hash;                // of that event
    std::int64_t offset = 0;  // one behind its record
    friend bool operator==(const AuditPlace&, const AuditPlace&) = default;
};

/// Places as text, a line a partition, for whoever keeps them until the next audit.
std::string to_text(const std::vector<AuditPlace>& places);
/// Throws InvalidArgument for what is not such a text.
std::vector<AuditPlace> parse_audit_places(const std::string& text);

struct AuditedPartition {
    AuditPlace proved;
    std::int64_t seen = 0;  // the furthest position that the topic holds
    std::int64_t head = 0;  // of the store
    /// What the relay has not sent yet; no difference.
    [[nodiscard]] std::int64_t behind() const { return head > seen ? head - seen : 0; }
};

/// `unknown`: nothing differs, but the topic is behind and nobody can say that the rest will come.
enum class AuditVerdict : std::uint8_t { equal, differs, unknown };

/// What an audit has found so far.
struct AuditReport {
    std::string topic;
    std::vector<AuditedPartition> partitions;
    std::int64_t differences = 0;  // events, not findings
    std::int64_t foreign = 0;      // records
    std::int64_t replayed = 0;     // records
    /// Payloads that are erased in the store and still in the topic: as the relay promises, but
    /// whoever has to forget them should know.
    std::int64_t unforgotten = 0;
    std::optional<Timestamp> relay_at;  // the relay's last beat; nothing: never heard of
    std::string unknown;                // why it could not be told; empty: it could

    [[nodiscard]] AuditVerdict verdict() const {
        if (differences > 0) return AuditVerdict::differs;
        return unknown.empty() ? AuditVerdict::equal : AuditVerdict::unknown;
    }
    [[nodiscard]] std::int64_t proved() const;  // events, over all partitions
    [[nodiscard]] std::int64_t behind() const;
};

/// What is compared, as its relay was told, and where the audit before ended.
struct AuditOptions {
    KafkaTopic topic;
    /// As the relay has them; with others every record differs.
    std::vector<std::string> withhold = RelayOptions{}.withhold;
    std::string source = {};
    bool allow_retention = false;  // the topic may begin behind the first event
    /// Goes on from here, one a partition: proved() of an earlier audit of the same topic (see
    /// AuditReport::topic: after a declared restore it is another). Places that no longer fit are
    /// proved anew from the beginning.
    std::vector<AuditPlace> from = {};
    std::function<void(const AuditFinding&)> on_finding = {};
    /// After the first pass of run(), and then once in `heartbeat`. What it throws ends run().
    std::function<void(const AuditReport&)> on_heartbeat = {};
    Duration heartbeat = std::chrono::seconds{10};
    Duration pause = std::chrono::seconds{1};    // between two passes of run()
    Duration silence = std::chrono::seconds{3};  // after so long the relay is taken to be dead
    Duration broker_timeout = std::chrono::seconds{20};
};

/// Proves that a topic holds what its store holds: reads both side by side and compares each record
/// with what the relay would send of that event, byte for byte: key, value, headers, time. The
/// store's chain is checked on the way. Only the topic of the living incarnation is read.
///
/// It writes nothing: no cursor, no lease, no group, no offsets; the store may be open read-only.
/// It holds a page of either side, whatever their size. Of one kind and partition the first twenty
/// findings are told and the others counted.
///
/// One thread uses it. The store outlives it.
///
///     recount::Audit audit{*store, {.topic = {.brokers = "kafka:9092", .name = "shop"}}};
///     bool fine = audit.catch_up().verdict() == recount::AuditVerdict::equal;
class Audit {
public:
    /// Throws InvalidArgument for settings that cannot be used.
    Audit(EventStore& store, AuditOptions options);
    ~Audit();
    Audit(const Audit&) = delete;
    Audit& operator=(const Audit&) = delete;

    /// Compares what the topic holds now, from where the last call ended. Throws Unavailable when
    /// store or brokers do not answer or the store began another incarnation (open it anew),
    /// Mismatch when the topic is missing, carries another store or has another partition count.
    AuditReport catch_up(std::stop_token stop = {});

    /// Pass after pass until asked to stop; gets over everything that time may heal, when `unknown`
    /// of the heartbeat says what is wrong. Never throws: returns why it ended.
    std::string run(std::stop_token stop);

    /// Of the last pass, though it may have been broken off.
    [[nodiscard]] const AuditReport& report() const;
    /// For AuditOptions::from; what that says where a partition was not reached.
    [[nodiscard]] std::vector<AuditPlace> proved() const;

private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace recount
