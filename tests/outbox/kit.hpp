#pragma once

#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace recount::test {

/// A topic that no other test uses, on the real broker.
KafkaTopic own_topic();
KafkaTopic own_topic_for(const EventStore& store);  // created, too

/// Appends `count` events, one a command, over `streams` streams "thing-0" …
void append_events(EventStore& store, int count, int streams = 20,
                   std::string_view category = "thing", std::size_t payload_bytes = 20);

/// One event of which each part is as large as the store takes it; made by a relay whose source is,
/// too, it is the largest record.
Append largest_append();
std::string largest_source();

/// A record as it lies in the topic.
struct RawRecord {
    std::int64_t offset = 0;
    std::string key;
    std::optional<std::string> value;
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<Timestamp> time = {};  // nothing: when it is sent

    [[nodiscard]] std::string header(std::string_view name) const;  // "" when there is none
};

/// A topic partition from its beginning to its end.
std::vector<RawRecord> read_raw(const KafkaTopic& topic, const std::string& full_name,
                                std::int32_t partition);

struct OracleOptions {
    bool complete = true;  // the topic holds all of the store
    bool repaired =
        false;  // events behind a hole are allowed, and must come again after its repair
    std::size_t incarnation = 0;
};

/// The oracle: in each partition the topic, after dropping replays, is the store's prefix, byte for
/// byte. Returns what is wrong, "" when nothing is. `replays`, when given, is told how many records
/// were dropped.
std::string differences(EventStore& store, const KafkaTopic& topic,
                        const OracleOptions& options = {}, std::int64_t* replays = nullptr);

/// Everything a log holds, partition by partition, read as a projector does.
std::vector<std::vector<RecordedEvent>> read_all(Log& log, std::size_t page = 1000);

/// What is wrong between a log and the store it should equal; "" when nothing is.
std::string differences(EventStore& store, Log& log);

/// Writes a record as a foreign program would.
void produce_foreign(const KafkaTopic& topic, const std::string& full_name, std::int32_t partition,
                     const std::string& key, const std::string& value,
                     const std::vector<std::pair<std::string, std::string>>& headers = {});
/// Writes `count` records in a transaction that is committed or aborted.
void produce_in_transaction(const KafkaTopic& topic, const std::string& full_name,
                            std::int32_t partition, int count, bool commit);
/// Begins a transaction with one record and leaves it open; the next of this topic's aborts it.
void leave_transaction_open(const KafkaTopic& topic, const std::string& full_name,
                            std::int32_t partition);
/// Copies records as they are, headers and all, to the end of a partition.
void produce_again(const KafkaTopic& topic, const std::string& full_name, std::int32_t partition,
                   const std::vector<RawRecord>& records);
void delete_records(const KafkaTopic& topic, const std::string& full_name, std::int32_t partition,
                    std::int64_t before_offset);
/// How a partition stands: who leads it, and how many replicas are in sync.
struct PartitionState {
    std::int32_t leader = -1;
    int in_sync = 0;
};
PartitionState state_of(const KafkaTopic& topic, const std::string& full_name,
                        std::int32_t partition);
void delete_topic(const KafkaTopic& topic, const std::string& full_name);
void add_partitions(const KafkaTopic& topic, const std::string& full_name, std::int32_t total);
void create_plain_topic(const KafkaTopic& topic, const std::string& full_name,
                        std::int32_t partitions,
                        const std::vector<std::pair<std::string, std::string>>& configs = {});

}  // namespace recount::test
