#include <recount/core/values.hpp>

#include <recount/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <numeric>

#include "text.hpp"

namespace recount {
namespace {

constexpr std::int32_t most_partitions = 1 << 16;

struct Calendar {
    int year;
    unsigned month, day;
};

Calendar calendar(Timestamp when) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(when)};
    return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
            static_cast<unsigned>(date.day())};
}

std::string padded(std::int64_t value, int width) {
    char buffer[32];
    const int length =
        std::snprintf(buffer, sizeof buffer, "%0*lld", width, static_cast<long long>(value));
    return {buffer, static_cast<std::size_t>(length)};
}

[[noreturn]] void not_a_timestamp(std::string_view text) {
    throw InvalidArgument("not a timestamp: " + text::quoted(text) +
                          "; write it as 2010-12-01T08:26:00.000000Z");
}

/// Takes exactly `digits` digits off the front.
int take_number(std::string_view& rest, std::size_t digits, std::string_view whole) {
    const std::string_view taken = rest.substr(0, digits);
    const bool all_digits =
        taken.size() == digits &&
        std::all_of(taken.begin(), taken.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!all_digits) not_a_timestamp(whole);
    int value = 0;
    std::from_chars(taken.data(), taken.data() + taken.size(), value);
    rest.remove_prefix(digits);
    return value;
}

void take_char(std::string_view& rest, char expected, std::string_view whole) {
    if (rest.empty() || rest.front() != expected) not_a_timestamp(whole);
    rest.remove_prefix(1);
}

/// ".5" is half a second: as many digits as there are, six at most.
int take_fraction(std::string_view& rest, std::string_view whole) {
    if (rest.empty() || rest.front() != '.') return 0;
    rest.remove_prefix(1);
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (digits == 0 || digits > 6) not_a_timestamp(whole);
    int value = take_number(rest, digits, whole);
    for (std::size_t i = digits; i < 6; ++i) value *= 10;
    return value;
}

std::size_t index_of(Partition partition) {
    if (partition.value < 0 || partition.value >= most_partitions) {
        throw InvalidArgument("partition " + std::to_string(partition.value) +
                              " is out of range: partitions are 0 to " +
                              std::to_string(most_partitions - 1));
    }
    return static_cast<std::size_t>(partition.value);
}

template <class Value>
Value from_raw(std::string_view raw, const char* what) {
    Value value;
    if (raw.size() != value.bytes.size()) {
        throw InvalidArgument(std::string{what} + " has " + std::to_string(value.bytes.size()) +
                              " bytes, not " + std::to_string(raw.size()));
    }
    std::copy(raw.begin(), raw.end(), value.bytes.begin());
    return value;
}

std::optional<std::uint8_t> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
    return std::nullopt;
}

}  // namespace

std::string date_of(Timestamp when) {
    const Calendar date = calendar(when);
    return month_of(when) + "-" + padded(date.day, 2);
}

std::string month_of(Timestamp when) {
    const Calendar date = calendar(when);
    return padded(date.year, 4) + "-" + padded(date.month, 2);
}

std::string to_string(Timestamp when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::hh_mm_ss time{when - day};
    return date_of(when) + "T" + padded(time.hours().count(), 2) + ":" +
           padded(time.minutes().count(), 2) + ":" + padded(time.seconds().count(), 2) + "." +
           padded(time.subseconds().count(), 6) + "Z";
}

Timestamp parse_timestamp(std::string_view text) {
    std::string_view rest = text;
    const int year = take_number(rest, 4, text);
    take_char(rest, '-', text);
    const int month = take_number(rest, 2, text);
    take_char(rest, '-', text);
    const int day = take_number(rest, 2, text);
    take_char(rest, 'T', text);
    const int hour = take_number(rest, 2, text);
    take_char(rest, ':', text);
    const int minute = take_number(rest, 2, text);
    take_char(rest, ':', text);
    const int second = take_number(rest, 2, text);
    const int micros = take_fraction(rest, text);
    take_char(rest, 'Z', text);

    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!rest.empty() || !date.ok() || hour > 23 || minute > 59 || second > 59) {
        not_a_timestamp(text);
    }
    return Timestamp{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
           std::chrono::minutes{minute} + std::chrono::seconds{second} +
           std::chrono::microseconds{micros};
}

std::string to_string(const Position& position) {
    return std::to_string(position.partition.value) + ":" + std::to_string(position.n);
}

std::int64_t Positions::operator[](Partition partition) const {
    const auto index = static_cast<std::size_t>(partition.value);
    return partition.value >= 0 && index < values_.size() ? values_[index] : 0;
}

void Positions::set(const Position& position) {
    const std::size_t index = index_of(position.partition);
    if (index >= values_.size()) values_.resize(index + 1, 0);
    values_[index] = position.n;
}

void Positions::raise(const Position& position) {
    if (position.n > (*this)[position.partition]) set(position);
}

void Positions::raise(const Positions& others) {
    if (values_.size() < others.values_.size()) values_.resize(others.values_.size(), 0);
    for (std::size_t i = 0; i < others.values_.size(); ++i) {
        values_[i] = std::max(values_[i], others.values_[i]);
    }
}

bool Positions::cover(const Positions& others) const {
    for (std::size_t i = 0; i < others.values_.size(); ++i) {
        if (others.values_[i] > (i < values_.size() ? values_[i] : 0)) return false;
    }
    return true;
}

bool Positions::cover(const Position& position) const {
    return position.n <= (*this)[position.partition];
}

bool Positions::empty() const {
    return std::all_of(values_.begin(), values_.end(), [](std::int64_t n) { return n == 0; });
}

std::int64_t Positions::sum() const {
    return std::accumulate(values_.begin(), values_.end(), std::int64_t{0});
}

Hash Hash::from(std::string_view raw) { return from_raw<Hash>(raw, "a SHA-256 value"); }

Uuid Uuid::from(std::string_view raw) { return from_raw<Uuid>(raw, "a UUID"); }

std::string to_string(const Hash& hash) { return text::hex(hash.view()); }

std::string to_string(const Uuid& uuid) {
    const std::string digits = text::hex(uuid.view());
    return digits.substr(0, 8) + "-" + digits.substr(8, 4) + "-" + digits.substr(12, 4) + "-" +
           digits.substr(16, 4) + "-" + digits.substr(20);
}

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    Uuid uuid;
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash) {
            if (text[i] != '-') return std::nullopt;
            continue;
        }
        const auto digit = hex_digit(text[i]);
        if (!digit) return std::nullopt;
        std::uint8_t& byte = uuid.bytes[digits / 2];
        byte = static_cast<std::uint8_t>((byte << 4) | *digit);
        ++digits;
    }
    return uuid;
}

}  // namespace recount
