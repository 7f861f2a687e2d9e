#pragma once

/// Everything of recount::projections: views told from the log, and consistent reads of them.

#include <recount/eventstore.hpp>
#include <recount/projections/consistency.hpp>
#include <recount/projections/projector.hpp>
#include <recount/projections/view.hpp>
#include <recount/projections/view_type.hpp>
#include <recount/projections/views.hpp>
