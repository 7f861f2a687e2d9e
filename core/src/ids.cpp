#include <recount/core/ids.hpp>

#include <recount/core/error.hpp>

#include <algorithm>
#include <cstdint>
#include <span>

#include "hasher.hpp"
#include "text.hpp"

namespace recount {
namespace {

void set_version(Uuid& uuid, unsigned version) {
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | version << 4);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
}

/// 48 bits of milliseconds and 12 bits of counter, as one number that only grows. When a
/// millisecond has used up its 4096 numbers, or the clock ran back, it counts on from the last one.
std::uint64_t next_tick(Environment& environment) {
    const auto since_epoch = environment.clock.now().time_since_epoch();
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(since_epoch).count();
    const std::uint64_t earliest = static_cast<std::uint64_t>(std::max<std::int64_t>(millis, 0))
                                   << 12;
    std::uint64_t last = environment.last_uuid7.load(std::memory_order_relaxed);
    std::uint64_t next = 0;
    do {
        next = std::max(earliest, last + 1);
    } while (!environment.last_uuid7.compare_exchange_weak(last, next, std::memory_order_relaxed));
    return next;
}

}  // namespace

Uuid new_uuid7(Environment& environment) {
    const std::uint64_t tick = next_tick(environment);
    const std::uint64_t high = (tick >> 12) << 16 | (tick & 0xfff);
    Uuid uuid;
    for (unsigned i = 0; i < 8; ++i)
        uuid.bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    environment.random.fill(std::span{uuid.bytes}.subspan(8));
    set_version(uuid, 7);
    return uuid;
}

std::optional<Timestamp> born_at(const Uuid& uuid) {
    if ((uuid.bytes[6] >> 4) != 7 || (uuid.bytes[8] & 0xc0) != 0x80) return std::nullopt;
    std::int64_t millis = 0;
    for (std::size_t i = 0; i < 6; ++i) millis = millis << 8 | uuid.bytes[i];
    return Timestamp{std::chrono::milliseconds{millis}};
}

Uuid derived_uuid(std::string_view tag, std::string_view name) {
    const Hash hash = thread_hasher().add(tag).add({"", 1}).add(name).finish();
    Uuid uuid = Uuid::from(hash.view().substr(0, 16));
    set_version(uuid, 8);
    return uuid;
}

Uuid event_id(std::string_view command_id, std::uint32_t index) {
    return derived_uuid("recount/event-id/1",
                        std::string{command_id} + "/" + std::to_string(index));
}

void check_command_id(std::string_view command_id) {
    const bool usable =
        !command_id.empty() && command_id.size() <= 255 && text::printable(command_id);
    if (usable) return;
    throw InvalidArgument("command id " + text::quoted(command_id) + " of " +
                          std::to_string(command_id.size()) +
                          " bytes cannot be used; give 1 to 255 bytes of UTF-8 without control "
                          "characters, best a UUIDv7");
}

}  // namespace recount
