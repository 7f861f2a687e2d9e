#pragma once

#include <functional>
#include <string>
#include <vector>

#include <recount/core/append.hpp>
#include <recount/core/event.hpp>
#include <recount/saga/plan.hpp>
#include <recount/saga/recorded_plan.hpp>

#include "recount/saga.pb.h"

namespace recount::saga {

/// The stream that a command goes to; throws InvalidArgument when it cannot go anywhere.
using Resolve = std::function<std::string(const NewEvent& command)>;

/// A plan with every name resolved: what is recorded.
struct Layout {
    std::vector<RecordedPlan::Page> pages;
    std::uint32_t steps = 0;
    std::optional<v1::Command> when_undone;
};

/// Resolves a plan: targets of commands, patterns to groups of steps. Each pattern is looked up
/// once, in sorted names. Throws InvalidArgument, saying what is wrong, for a plan that cannot be
/// carried out, or not be recorded within the limits of its store.
Layout lay_out(const Plan::Description& plan, const Resolve& resolve,
               const AppendLimits& limits = {});

/// Writes what a saga's first event says of its plan. What the plan leaves to the starting event
/// stays as it is.
void describe(const Plan::Description& plan, const Layout& layout, v1::SagaBegun& begun);

}  // namespace recount::saga
