#pragma once

/// Everything of recount::eventstore: the store, its log, and the small SQL handle views are
/// written with.

#include <recount/core.hpp>
#include <recount/eventstore/event_store.hpp>
#include <recount/eventstore/import.hpp>
#include <recount/eventstore/lease.hpp>
#include <recount/eventstore/log.hpp>
#include <recount/eventstore/sql.hpp>
