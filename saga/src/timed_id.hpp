#pragma once

#include <string_view>

#include <recount/core/values.hpp>

#include "recount/saga.pb.h"

namespace recount::saga {

/// When the event that starts it was recorded: the same, whoever begins it.
Timestamp started_at(const v1::SagaBegun& begun);

/// A name-based id (UUID version 8) that begins with a time: 60 bits of microseconds, then 62 of
/// derived_uuid(tag, name). What is made at about one time lies together in an index.
Uuid timed_uuid(std::string_view tag, std::string_view name, Timestamp at);

}  // namespace recount::saga
