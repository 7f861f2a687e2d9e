#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "postgres_session.hpp"
#include "store_base.hpp"

namespace recount::postgres {

/// What keeps a store in order; see StoreBase for what each means. All commit by themselves and may
/// be done twice.
std::vector<StreamHead> list_names(Session& session, const NameRange& range, std::size_t limit);
std::int64_t erase_events(Session& session, const StreamName& stream, const Erasure& what);
Timestamp raise_horizon(Session& session, Timestamp horizon);
void forget_outcomes(Session& session, const std::vector<std::string_view>& command_ids);

}  // namespace recount::postgres
