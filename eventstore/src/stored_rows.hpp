#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <recount/core/stream.hpp>
#include <recount/core/values.hpp>

namespace recount {

/// Rows as a store keeps them, for who verifies them: whatever is in them.
struct OutcomeRow {
    std::string command_id;
    std::int64_t kind = 0;
    Timestamp recorded_at;
    std::string bytes;
};

/// A revision under which events of a type are stored.
struct RevisionRow {
    std::string type;
    std::int64_t revision = 0;
    std::string fingerprint;
    std::optional<std::string> descriptors;
};

/// What the columns beside an envelope say of it.
struct EventColumns {
    std::int64_t n = 0;
    std::string stream;
    std::int64_t version = 0;
    std::string type;  // empty: the row names no revision that there is
    std::int64_t revision = 0;
};

}  // namespace recount
