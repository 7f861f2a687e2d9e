#include "timed_id.hpp"

#include <recount/core/ids.hpp>

namespace recount::saga {

Timestamp started_at(const v1::SagaBegun& begun) {
    return Timestamp{std::chrono::microseconds{begun.started_at_us()}};
}

Uuid timed_uuid(std::string_view tag, std::string_view name, Timestamp at) {
    Uuid uuid = derived_uuid(tag, name);
    const auto micros = static_cast<std::uint64_t>(at.time_since_epoch().count());
    const std::uint64_t high =
        micros >> 12 << 16 | (micros & 0xfff);  // around the version's 4 bits
    for (unsigned i = 0; i < 8; ++i) {
        const auto byte = static_cast<std::uint8_t>(high >> (56 - 8 * i));
        uuid.bytes[i] = i == 6 ? static_cast<std::uint8_t>((uuid.bytes[i] & 0xf0) | byte) : byte;
    }
    return uuid;
}

}  // namespace recount::saga
