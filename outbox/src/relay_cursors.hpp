#pragma once

#include <memory>
#include <string>

#include <recount/eventstore/event_store.hpp>

#include "cursor.hpp"

namespace recount {

/// The cursors of a relay, beside its store. Of those with the same `lease` one may move them, and
/// another takes over `lifetime` after it fell silent.
std::unique_ptr<Cursors> open_cursors(EventStore& store, const std::string& lease,
                                      Duration lifetime);

}  // namespace recount
