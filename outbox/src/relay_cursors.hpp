#pragma once

#include <memory>

#include <recount/eventstore/event_store.hpp>
#include <recount/outbox/relay.hpp>

#include "cursor.hpp"

namespace recount {

/// The cursors of a relay, where its options put them.
std::unique_ptr<Cursors> open_cursors(EventStore& store, const RelayOptions& options);

}  // namespace recount
