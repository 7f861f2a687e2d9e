#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <recount/core/environment.hpp>
#include <recount/core/values.hpp>

#include "kafka/settings.hpp"

namespace recount::kafka {

/// One record as it was fetched. Views live as long as it does.
class Record {
public:
    explicit Record(void* message) : message_(message) {}

    [[nodiscard]] std::int32_t partition() const;
    [[nodiscard]] std::int64_t offset() const;
    [[nodiscard]] std::string_view key() const;
    [[nodiscard]] std::optional<std::string_view> value() const;  // nothing: null
    /// The producer's, in milliseconds; nothing when the broker stamps its own.
    [[nodiscard]] std::optional<Timestamp> time() const;
    void each_header(
        const std::function<void(std::string_view name, std::string_view value)>& take) const;

private:
    friend class Headers;
    struct Delete {
        void operator()(void* message) const;
    };
    std::unique_ptr<void, Delete> message_;
};

/// Goes through the headers of a record that outlives it, in order: for those who read so many that
/// Record::each_header costs too much.
class Headers {
public:
    explicit Headers(const Record& record);

    /// To the first, then to the next one; false behind the last.
    bool next();
    [[nodiscard]] const char* name() const { return name_; }  // ends with a NUL
    [[nodiscard]] std::string_view value() const { return value_; }

private:
    void* list_ = nullptr;
    std::size_t index_ = 0;
    const char* name_ = nullptr;
    std::string_view value_;
};

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
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// Begins to fetch a partition at an offset, or moves there.
    void move(std::int32_t partition, std::int64_t offset);
    /// Gives up a partition, and what was fetched of it.
    void stop(std::int32_t partition);
    /// Throws Unavailable for what the brokers may get over, Mismatch when the topic is gone.
    Polled poll(std::int32_t partition, Duration at_most);
    /// Asks the partition's leader. Throws Unavailable.
    Watermarks watermarks(std::int32_t partition, Duration at_most);
    /// One behind the last record, as the latest fetch told; -1: nothing was fetched yet.
    [[nodiscard]] std::int64_t fetched_high(std::int32_t partition) const;
    /// Asks the cluster; throws Unavailable, Mismatch when there is no such topic.
    std::int32_t partitions(Duration at_most);

    [[nodiscard]] const std::string& topic() const { return topic_; }

private:
    struct Parts;
    std::string topic_;
    std::unique_ptr<Parts> parts_;
};

}  // namespace recount::kafka
