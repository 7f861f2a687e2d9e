#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace recount {

/// A point in time in UTC, microseconds since 1970. What every store keeps.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// "2010-12-01T08:26:00.000000Z" (RFC 3339) and back, when the fraction may be shorter or left out;
/// throws InvalidArgument on anything else.
std::string to_string(Timestamp when);
Timestamp parse_timestamp(std::string_view text);
/// The day of a moment, "YYYY-MM-DD", and its month, "YYYY-MM", both in UTC.
std::string date_of(Timestamp when);
std::string month_of(Timestamp when);

/// How many events a stream holds; the version of an event is its number in its stream, from 1.
struct Version {
    std::int64_t value = 0;
    friend auto operator<=>(const Version&, const Version&) = default;
};

/// One of a store's partitions, 0 … P-1. A stream lives in one of them for ever.
struct Partition {
    std::int32_t value = 0;
    friend auto operator<=>(const Partition&, const Partition&) = default;
};

/// Where an event stands in the log: the n-th of its partition, from 1, without gaps.
struct Position {
    Partition partition;
    std::int64_t n = 0;
    friend auto operator<=>(const Position&, const Position&) = default;
};

/// "3:1042": partition 3, the 1,042nd event.
std::string to_string(const Position& position);

/// One number for each partition of one store: everything up to there. Missing partitions are 0.
class Positions {
public:
    Positions() = default;
    explicit Positions(std::size_t partitions) : values_(partitions, 0) {}

    std::int64_t operator[](Partition partition) const;
    /// Moves a partition forward; never back.
    void raise(const Position& position);
    void raise(const Positions& others);
    /// Sets a partition, forward or back.
    void set(const Position& position);
    /// True when everything in `others` is at or before this.
    [[nodiscard]] bool cover(const Positions& others) const;
    [[nodiscard]] bool cover(const Position& position) const;
    [[nodiscard]] bool empty() const;  // every partition at 0
    [[nodiscard]] std::int64_t sum() const;
    [[nodiscard]] const std::vector<std::int64_t>& values() const { return values_; }

    friend bool operator==(const Positions& left, const Positions& right) {
        return left.cover(right) && right.cover(left);
    }

private:
    std::vector<std::int64_t> values_;
};

/// A SHA-256 value: of a payload, of an event in the chain, of a request.
struct Hash {
    std::array<std::uint8_t, 32> bytes{};
    friend auto operator<=>(const Hash&, const Hash&) = default;
    [[nodiscard]] std::string_view view() const {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    /// From 32 raw bytes; throws InvalidArgument for any other length.
    static Hash from(std::string_view raw);
};

/// 16 bytes, written as a UUID.
struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
    friend auto operator<=>(const Uuid&, const Uuid&) = default;
    [[nodiscard]] std::string_view view() const {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    static Uuid from(std::string_view raw);
};

std::string to_string(const Hash& hash);  // 64 lower-case hex digits
std::string to_string(const Uuid& uuid);  // 8-4-4-4-12, lower case
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace recount
