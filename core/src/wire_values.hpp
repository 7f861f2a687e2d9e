#pragma once

#include <cstdint>

#include <recount/core/envelope.hpp>

#include "wire.hpp"

namespace recount::wire {

inline std::uint64_t unsigned_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }

inline std::uint64_t micros(Timestamp when) { return unsigned_of(when.time_since_epoch().count()); }

/// A recount.v1.StorePositions, also when it is empty.
inline void write(Writer& out, std::uint32_t field, const StorePositions& seen) {
    std::size_t packed = 0;
    for (const std::int64_t n : seen.positions.values()) packed += varint_size(unsigned_of(n));
    const std::size_t positions = packed == 0 ? 0 : 1 + varint_size(packed) + packed;
    out.begin(field, 2 * (2 + sizeof(Uuid)) + positions);
    out.bytes(1, seen.store.view());
    out.bytes(2, seen.incarnation.view());
    if (packed == 0) return;
    out.begin(3, packed);
    for (const std::int64_t n : seen.positions.values()) out.varint(unsigned_of(n));
}

}  // namespace recount::wire
