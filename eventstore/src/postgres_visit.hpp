#pragma once

#include <recount/core/streams.hpp>

#include "postgres_pool.hpp"

namespace recount::postgres {

/// See Streams::visit_stream. When the session is lost on the way, another goes on behind the last
/// event that was given.
std::int64_t visit_stream(Pool& pool, const StreamName& stream, Version from, std::size_t page,
                          const TakeEvent& take);

}  // namespace recount::postgres
