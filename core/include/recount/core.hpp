#pragma once

/// Everything of recount::core: the words, decide and evolve, command handling, sessions.

#include <recount/core/append.hpp>
#include <recount/core/batch.hpp>
#include <recount/core/decision.hpp>
#include <recount/core/environment.hpp>
#include <recount/core/error.hpp>
#include <recount/core/event.hpp>
#include <recount/core/events.hpp>
#include <recount/core/fold.hpp>
#include <recount/core/ids.hpp>
#include <recount/core/metrics.hpp>
#include <recount/core/outcome.hpp>
#include <recount/core/repository.hpp>
#include <recount/core/session.hpp>
#include <recount/core/snapshots.hpp>
#include <recount/core/stream.hpp>
#include <recount/core/streams.hpp>
#include <recount/core/upcast.hpp>
#include <recount/core/values.hpp>
