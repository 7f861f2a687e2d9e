#pragma once

#include <cstdint>
#include <deque>
#include <stop_token>
#include <string>
#include <vector>

#include <recount/outbox/audit.hpp>

#include "audit_lane.hpp"
#include "kafka/reader.hpp"

namespace recount {

/// Reads an audited topic, partition after partition, into its lanes. One thread at a time.
class AuditReading {
public:
    AuditReading(EventStore& store, const AuditOptions& options, AuditWorld& world);

    /// Looks whether the topic is there and fits the store; the first time only. Throws Mismatch,
    /// Unavailable; `restored`: a relay may still have to begin the topic.
    void open(bool restored);
    /// What a partition holds by now. `published` is what the relay knew to be in it, -1: not told.
    void read(Partition partition, const std::stop_token& stop, std::int64_t published);

    /// One a partition; they stand where the audit begins until their partition is read.
    std::deque<AuditLane>& lanes() { return lanes_; }

private:
    /// Where the reader stands in one partition.
    struct Hand {
        bool started = false;
        std::int64_t behind = 0;  // everything before this offset was read, or is no record
        bool at_end = false;      // the broker said so since the last record
        bool unjudged = false;    // what is behind was fetched and has to be fetched again
    };

    void start(Partition partition, const kafka::Watermarks& marks);
    bool fits(const AuditPlace& place, Partition partition, const kafka::Watermarks& marks);
    bool read_on(Partition partition, std::int64_t until, const std::stop_token& stop);
    [[nodiscard]] std::string where(Partition partition) const {
        return "topic " + world_.topic + " partition " + std::to_string(partition.value);
    }

    EventStore& store_;
    Duration broker_timeout_;
    std::vector<AuditPlace> from_;
    AuditWorld& world_;
    kafka::Reader reader_;
    bool opened_ = false;
    std::deque<AuditLane> lanes_;
    std::vector<Hand> hands_;
    std::string held_up_;  // by what; empty: the partition was read to its end
};

}  // namespace recount
