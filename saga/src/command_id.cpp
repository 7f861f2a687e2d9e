#include <recount/saga/command_id.hpp>

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include "timed_id.hpp"

namespace recount::saga {
namespace {

// Names hold no control characters, so a NUL keeps them apart.
void add(std::string& all, std::string_view part) { all.append(part).push_back('\0'); }

}  // namespace

std::string command_id(const v1::SagaBegun& begun, std::string_view step, Way way,
                       std::uint32_t attempt) {
    std::string name;
    add(name, begun.name());
    add(name, begun.id());
    add(name, step);
    add(name, way == Way::forth ? "do" : "undo");
    add(name, std::to_string(attempt));
    switch (begun.command_ids()) {
        case 1:
            return to_string(derived_uuid("recount/saga/command/1", name));
        case 2:
            return to_string(timed_uuid("recount/saga/command/2", name, began_at(begun)));
        default:
            throw InvalidArgument("its command ids follow rule " +
                                  std::to_string(begun.command_ids()) +
                                  ", which this program does not know: a newer one began it");
    }
}

std::string begin_id(std::string_view saga_name, std::string_view saga_id) {
    std::string name;
    add(name, saga_name);
    add(name, saga_id);
    return to_string(derived_uuid("recount/saga/begin/1", name));
}

Timestamp began_at(const v1::SagaBegun& begun) {
    return Timestamp{std::chrono::microseconds{begun.begun_at_us()}};
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
