#pragma once

#include <recount/eventstore.hpp>
#include <recount/saga.hpp>

#include "repositories.hpp"

namespace shop {

/// Adds the shop's sagas to an engine, with a way for each of their commands. The repositories
/// must outlive it.
void add_sagas(recount::SagaEngine& engine, Repositories& shop);

}  // namespace shop
