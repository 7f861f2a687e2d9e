#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/eventstore/log.hpp>

namespace recount {

/// What the relay tells each second: which store it is, its incarnations, where it ends, and how
/// far the topic is.
struct Beat {
    StoreIdentity identity;
    Timestamp at;
    std::string log;                      // the topic of the living incarnation
    std::vector<LogHead> heads;           // one a partition
    std::vector<std::int64_t> published;  // one a partition: known to be in the topic
    std::vector<Incarnation> incarnations;
};

/// JSON (recount.v1.Beat in recount/outbox/beat.proto).
std::string encode(const Beat& beat);
/// Nothing when it is not such a record.
std::optional<Beat> decode_beat(std::string_view json);

}  // namespace recount
