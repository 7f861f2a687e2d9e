#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <recount/core/environment.hpp>
#include <recount/core/values.hpp>

namespace recount {

/// A UUIDv7 (RFC 9562): 48 bits of milliseconds, then a counter that grows within the process, then
/// chance. Ordered by time of birth. Thread-safe.
Uuid new_uuid7(Environment& environment = Environment::system());

/// When a UUID in version-7 layout was born; nothing for any other id.
std::optional<Timestamp> born_at(const Uuid& uuid);

/// A name-based id (UUID version 8): the first 16 bytes of SHA-256(tag ‖ 0 ‖ name). The same in,
/// the same out, for ever.
Uuid derived_uuid(std::string_view tag, std::string_view name);

/// The id of the `index`-th event (from 0) of the append with this command id.
Uuid event_id(std::string_view command_id, std::uint32_t index);

/// Command ids are text of 1 … 255 bytes: a UUIDv7 carries its birth time (see CommandExpired); ids
/// of another form are protected for the time outcomes are kept. Throws InvalidArgument.
void check_command_id(std::string_view command_id);

}  // namespace recount
