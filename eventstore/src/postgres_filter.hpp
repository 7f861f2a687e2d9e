#pragma once

#include <vector>

#include <recount/eventstore/log.hpp>

#include "postgres_session.hpp"

namespace recount::postgres {

/// The events behind the `after`-th that the filter takes. The server looks through the partition
/// in the order of positions, computes the chain of all that it looks at, and sends what may be
/// wanted, what does not fit, and how far it came.
LogPage read_filtered_page(Session& session, Partition partition, std::int64_t after,
                           const ReadLog& options, const Uuid& store,
                           const std::vector<Incarnation>& incarnations);

}  // namespace recount::postgres
