#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <recount/core/environment.hpp>
#include <recount/core/values.hpp>

#include "cursor.hpp"
#include "kafka/reader.hpp"

namespace recount {

/// Where a topic's partition really ends, for one who applies "last + 1" only.
struct TopicTail {
    std::int64_t n = 0;             // everything up to here is there (or was, before retention)
    std::optional<Hash> hash;       // of that event, when its record was seen
    std::int64_t last_offset = -1;  // of the last record of any kind
    std::int64_t hole_at = 0;  // the first missing event, when later ones are there; 0: no hole
};

/// Reads the end of each partition, as far back as needed to meet its cursor, and from the
/// beginning when that is not to be found: a re-created, truncated or unknown topic.
std::vector<TopicTail> read_tails(kafka::Reader& reader, const std::vector<Cursor>& cursors,
                                  Environment& environment, Duration timeout);

}  // namespace recount
