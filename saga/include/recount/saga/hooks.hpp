#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include <recount/core/events.hpp>
#include <recount/saga/plan.hpp>

namespace recount {

/// Each check is a type of its own, so that the compiler's first lines name saga and message.
namespace check {

template <class S>
concept HasSagaName = requires {
    { S::name } -> std::convertible_to<std::string_view>;
};
template <class S, class Event>
concept NamesASaga = requires(const Event& event) {
    { S::id_of(event) } -> std::convertible_to<std::string>;
};
template <class S, class Event>
concept PlansASaga = requires(const Event& event) {
    { S::plan(event) } -> std::same_as<Plan>;
};

template <class S>
struct IsSaga {
    static_assert(HasSagaName<S>, "a saga has `static constexpr std::string_view name = \"...\"`");
    static_assert(
        requires { typename S::StartedBy; }, "a saga has `using StartedBy = recount::Events<...>`");
    static_assert(
        requires { typename S::Command; }, "a saga has `using Command = recount::Events<...>`");
};
template <class S, class Event>
struct SagaHooks {
    static_assert(NamesASaga<S, Event>,
                  "this saga has no `static std::string id_of(const Event&)` for this starting "
                  "event");
    static_assert(PlansASaga<S, Event>,
                  "this saga has no `static recount::Plan plan(const Event&)` for this starting "
                  "event");
};
template <class S, class List>
struct EverySagaHook;
template <class S, class... Event>
struct EverySagaHook<S, Events<Event...>> : SagaHooks<S, Event>... {};

}  // namespace check

/// True for types that mean to be sagas; whether they are complete, checked_saga tells.
template <class S>
concept SagaType = requires {
    typename S::StartedBy;
};

namespace check {

template <class S, class List>
constexpr bool every_hook = false;
template <class S, class... Event>
constexpr bool every_hook<S, Events<Event...>> = ((NamesASaga<S, Event> &&
                                                   PlansASaga<S, Event>)&&...);

/// Nothing is missing.
template <class S>
constexpr bool complete_saga() {
    if constexpr (requires {
                      typename S::StartedBy;
                      typename S::Command;
                  }) {
        return HasSagaName<S> && every_hook<S, typename S::StartedBy>;
    } else {
        return false;
    }
}

}  // namespace check

/// Instantiates the checks of a saga: name, StartedBy, Command, id_of and plan for each start.
template <class S>
constexpr bool checked_saga() {
    (void)sizeof(check::IsSaga<S>);
    if constexpr (requires { typename S::StartedBy; }) {
        (void)sizeof(check::EverySagaHook<S, typename S::StartedBy>);
    }
    return true;
}

}  // namespace recount
