#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <recount/core/environment.hpp>
#include <recount/core/values.hpp>

#include "kafka/fetched_record.hpp"
#include "kafka/settings.hpp"

namespace recount::kafka {

/// What one poll of a partition gave.
struct Polled {
    enum class Kind : std::uint8_t {
        record,
        end,      // nothing readable behind what was read; more may come
        nothing,  // not within the time
        lost,     // the offset does not exist there any more: move() elsewhere
    };
    Kind kind = Kind::nothing;
    std::optional<Record> record;
    std::int64_t end = -1;  // of `end`: the offset behind all that can be read
};

struct Watermarks {
    std::int64_t low = 0;   // the first offset that is kept
    std::int64_t high = 0;  // one behind the last, be it readable or in an open transaction
};

/// Reads partitions of one topic by offset: no group, no committed offsets, no reset policy,
/// checksums checked, committed transactions only. Different partitions may be used by different
/// threads at once; one partition by one at a time.
class Reader {
public:
    /// `on_arrival` is told, from a thread of librdkafka, that a partition has something to poll.
    Reader(const Settings& settings, std::string topic, std::function<void()> on_arrival = {});
    /// Reads the same topic at places of its own, and asks its questions by the other's
    /// connections.
    Reader(const Settings& settings, const Reader& other, std::function<void()> on_arrival);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// Begins to fetch a partition at an offset, or moves there.
    void move(std::int32_t partition, std::int64_t offset);
    /// Gives up a partition, and what was fetched of it.
    void stop(std::int32_t partition);
    /// Throws Unavailable for what the brokers may get over, Mismatch when the topic is gone.
    Polled poll(std::int32_t partition, Duration at_most);
    /// The record at an offset; nothing: it is not there. Gives up the partition, as stop() does.
    /// Throws Unavailable, Mismatch.
    std::optional<Record> record_at(std::int32_t partition, std::int64_t offset, Duration at_most);
    /// Asks the partition's leader, and again while an answer passes. Throws Unavailable.
    Watermarks watermarks(std::int32_t partition, Duration at_most);
    /// One behind the last record, as the latest fetch told; -1: nothing was fetched yet.
    [[nodiscard]] std::int64_t fetched_high(std::int32_t partition) const;
    /// Asks the cluster, and again while an answer passes; throws Unavailable, Mismatch when there
    /// is no such topic or it may not be looked at.
    std::int32_t partitions(Duration at_most);

    [[nodiscard]] const std::string& topic() const { return topic_; }

private:
    struct Parts;
    std::string topic_;
    std::unique_ptr<Parts> parts_;
};

}  // namespace recount::kafka
