#pragma once

#include <vector>

#include <recount/eventstore/event_store.hpp>

#include "postgres_session.hpp"

namespace recount::postgres {

/// How a store's sessions are set up.
SessionOptions session_options(const StoreOptions& options);

/// What is read once, when a store is opened.
struct StoreFacts {
    StoreIdentity identity;
    std::vector<Incarnation> incarnations;  // the living one is the incarnations.size()-th
    std::vector<std::string> warnings;
};

/// Checks the server, makes the store when there is none, and reads what it is. Throws Mismatch
/// that says what does not fit, why it matters and how to mend it; nothing was touched then.
StoreFacts set_up_store(Session& session, const StoreOptions& options, Environment& environment);

std::vector<Incarnation> read_incarnations(Session& session, std::int32_t partitions);

}  // namespace recount::postgres
