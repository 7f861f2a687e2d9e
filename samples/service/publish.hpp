#pragma once

#include <recount/eventstore.hpp>

#include <string>

#include "articles.hpp"

namespace articles {

/// Publishes an article under a slug that no other one has, once under its command id. Refused with
/// "slug_taken" when one has it, and as decide() says. The session grows by what was written.
/// Throws what the store throws. Thread-safe.
recount::Outcome publish(recount::EventStore& store, const std::string& id, const Publish& command,
                         const std::string& command_id, recount::Session& session);

}  // namespace articles
