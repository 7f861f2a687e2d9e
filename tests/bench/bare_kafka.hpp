#pragma once

#include <recount/outbox.hpp>

#include <cstdint>
#include <vector>

namespace recount::bench {

/// Events of 120 bytes payload, 100 an append and a stream.
void fill_carts(EventStore& store, int events);

/// The same records by librdkafka's own producer: idempotent, acks=all, a linger of 5 ms.
/// Seconds.
double produce_bare(const KafkaTopic& topic, const std::vector<std::vector<RecordedEvent>>& events);

/// How long the same producer waits for a broker's word on one record of `bytes`, without linger,
/// when it sends `a_second` of them one by one to partitions in turn: milliseconds, each.
std::vector<double> produce_latency(const KafkaTopic& topic, std::int32_t partitions, int count,
                                    int a_second, std::size_t bytes);

/// librdkafka's own consumer, which only counts to `count`, or asks for each record's headers too:
/// they are kept as they came until then.
void consume_bare(const KafkaTopic& topic, std::int32_t partitions, std::int64_t count,
                  bool headers);

}  // namespace recount::bench
