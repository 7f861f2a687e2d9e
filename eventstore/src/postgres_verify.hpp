#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "postgres_session.hpp"
#include "stored_rows.hpp"

namespace recount::postgres {

/// Rows for StoreBase::verify_chain, as they are.
std::vector<OutcomeRow> outcome_rows(Session& session, std::string_view after, std::size_t limit,
                                     bool with_bytes);
std::vector<RevisionRow> revision_rows(Session& session);
std::vector<EventColumns> event_columns(Session& session, Partition partition, std::int64_t after,
                                        std::size_t limit);

}  // namespace recount::postgres
