#pragma once

/// For tests of sagas, with GoogleTest; link recount::testing. Not part of recount/saga.hpp.
///
///     using namespace recount::test;
///
///     TEST(DeclinedCard, ReleasesTheStock) {
///         given<Checkout>(order).refused("charge").then_undone("reserve/0", "reserve/1")
///             .then_ends(compensated);
///     }

#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include <recount/core/events.hpp>
#include <recount/saga/hooks.hpp>
#include <recount/saga/script.hpp>
#include <recount/testing/location.hpp>

namespace recount::test {

/// A script for the saga that `event` starts.
template <SagaType S, class Event>
[[nodiscard]] SagaScript given(const Event& event, Location at = here()) {
    (void)checked_saga<S>();
    static_assert(S::StartedBy::template contains<Event>,
                  "this saga is not started by this event; see its StartedBy");
    std::vector<std::string> commands;
    S::Command::for_each_type(
        [&]<class M>(std::type_identity<M>) { commands.push_back(type_name<M>()); });
    return SagaScript{S::plan(event), commands,
                      [at](const std::string& why) { ADD_FAILURE_AT(at.file, at.line) << why; }};
}

}  // namespace recount::test
