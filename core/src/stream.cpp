#include <recount/core/stream.hpp>

#include <recount/core/error.hpp>

#include <cstdint>

#include "stream_name.hpp"
#include "text.hpp"

namespace recount {
namespace {

/// Apache Kafka, org.apache.kafka.common.utils.Utils.murmur2.
std::uint32_t murmur2(std::string_view data) {
    constexpr std::uint32_t m = 0x5bd1e995;
    constexpr int r = 24;
    const auto byte = [&](std::size_t i) {
        return std::uint32_t{static_cast<std::uint8_t>(data[i])};
    };
    std::uint32_t h = 0x9747b28c ^ static_cast<std::uint32_t>(data.size());
    const std::size_t whole = data.size() & ~std::size_t{3};
    for (std::size_t i = 0; i < whole; i += 4) {
        std::uint32_t k = byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
        k *= m;
        k ^= k >> r;
        k *= m;
        h *= m;
        h ^= k;
    }
    const std::size_t left = data.size() - whole;
    if (left == 3) h ^= byte(whole + 2) << 16;
    if (left >= 2) h ^= byte(whole + 1) << 8;
    if (left >= 1) {
        h ^= byte(whole);
        h *= m;
    }
    h ^= h >> 13;
    h *= m;
    h ^= h >> 15;
    return h;
}

void check_name(std::string_view category, std::string_view id) {
    const std::size_t length = category.size() + 1 + id.size();
    const auto refuse = [&](const std::string& why) {
        throw InvalidArgument("stream category " + text::quoted(category) + " with id " +
                              text::quoted(id) + " " + why +
                              "; a stream is category-id, at most 255 bytes of UTF-8 without "
                              "control characters");
    };
    if (category.empty()) refuse("has no category");
    if (category.find('-') != std::string_view::npos) refuse("has a '-' in its category");
    if (id.empty()) refuse("has no id");
    if (length > StreamName::max_bytes) refuse("has " + std::to_string(length) + " bytes");
    if (!text::printable(category) || !text::printable(id)) {
        refuse("is not valid UTF-8 or holds control characters");
    }
}

void check_full_name(std::string_view full) {
    const std::size_t dash = full.find('-');
    if (dash == std::string_view::npos) {
        throw InvalidArgument("stream name " + text::quoted(full) +
                              " has no '-'; a stream is category-id");
    }
    check_name(full.substr(0, dash), full.substr(dash + 1));
}

}  // namespace

void check_name(const StreamName& stream) { check_full_name(stream.full()); }

StreamName::StreamName(std::string_view category, std::string_view id) {
    check_name(category, id);
    full_.reserve(category.size() + 1 + id.size());
    full_.append(category).append(1, '-').append(id);
}

StreamName StreamName::parse(std::string_view full) {
    check_full_name(full);
    return trusted(std::string{full});
}

StreamName StreamName::trusted(std::string full) {
    StreamName name;
    name.full_ = std::move(full);
    return name;
}

std::string_view StreamName::category() const {
    const std::string_view full = full_;
    return full.substr(0, full.find('-'));
}

std::string_view StreamName::id() const {
    const std::string_view full = full_;
    const std::size_t dash = full.find('-');
    return dash == std::string_view::npos ? std::string_view{} : full.substr(dash + 1);
}

Partition partition_of(const StreamName& stream, std::int32_t count) {
    return partition_of(std::string_view{stream.full()}, count);
}

Partition partition_of(std::string_view stream, std::int32_t count) {
    if (count < 1) {
        throw InvalidArgument("a store has at least 1 partition, not " + std::to_string(count));
    }
    return Partition{static_cast<std::int32_t>(murmur2(stream) & 0x7fffffff) % count};
}

}  // namespace recount
