#include <algorithm>

#include <recount/outbox/kafka_topic.hpp>

#include "record.hpp"

namespace recount {
namespace {

/// What no limit of the store counts: names, type and ids, which go into envelope, key and
/// CloudEvents' headers, up to four times each; `source`; what Kafka puts around it all.
constexpr std::int64_t header_bytes = 6144;
/// Neither brokers nor clients take more at once unless told to.
constexpr std::size_t most_at_once = 100'000'000;

std::int64_t bytes_of(const kafka::Message& record) {
    std::size_t bytes = record.key.size() + record.value.value_or("").size();
    for (const auto& [name, value] : record.headers) bytes += name.size() + value.size();
    return static_cast<std::int64_t>(bytes);
}

}  // namespace

std::int64_t largest_record(const AppendLimits& limits) {
    std::int64_t bytes = header_bytes;
    for (const std::size_t part : {limits.event_bytes, limits.metadata_bytes, limits.after_bytes}) {
        bytes += static_cast<std::int64_t>(std::min(part, most_at_once));
    }
    constexpr std::int64_t usual = std::int64_t{1}
                                   << 20;  // other programs' limits may be the usual
    return std::clamp(bytes, usual, static_cast<std::int64_t>(most_at_once));
}

std::int64_t largest_record(EventStore& store) {
    RecordEncoder encoder{source_of(store.identity().id, ""), store.incarnations().back().id, {}};
    std::int64_t largest = 0;
    for (std::int32_t number = 0; number < store.identity().partitions; ++number) {
        for (LogPage page; !page.end;) {
            page = store.read(Partition{number}, page.upto);
            for (const RecordedEvent& event : page.events) {
                largest = std::max(largest, bytes_of(encoder.encode(event)));
            }
        }
    }
    return largest;
}

}  // namespace recount
