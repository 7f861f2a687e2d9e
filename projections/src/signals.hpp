#pragma once

#include <memory>
#include <string>

#include <recount/core/environment.hpp>

namespace recount::projections {

/// What projectors raise when a view moved, and readers of this process wait on: one for each view
/// of a place and scheduler, for as long as somebody holds it.
std::shared_ptr<Signal> moved_signal(Scheduler& scheduler, const std::string& place,
                                     const std::string& view);

}  // namespace recount::projections
