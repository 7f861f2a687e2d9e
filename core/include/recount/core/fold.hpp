#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <recount/core/decision.hpp>
#include <recount/core/error.hpp>
#include <recount/core/event.hpp>
#include <recount/core/stream.hpp>
#include <recount/core/upcast.hpp>

namespace recount {

/// What is left of an event whose payload was erased. A State that can go on without it has
/// `evolve(State, const recount::Erased&)`.
struct Erased {
    Position position;
    Version version;
    std::string type;
};

template <class State, class Event>
concept Evolves = requires(State state, const Event& event) {
    { evolve(std::move(state), event) } -> std::same_as<State>;
};

template <class State, class Command>
concept Decides = requires(const State& state, const Command& command) {
    { decide(state, command) } -> std::same_as<Decision<State>>;
};

template <class State>
concept HasCategory = requires {
    { State::category } -> std::convertible_to<std::string_view>;
};

namespace check {

/// One that the compiler can read; of any other the first stream's name tells.
template <class State>
concept ConstantCategory = HasCategory<State> && requires {
    typename std::bool_constant<std::string_view{State::category}.empty()>;
};
template <class State>
constexpr bool category_is_valid() {
    if constexpr (ConstantCategory<State>) return valid_category(State::category);
    return true;
}
template <class State>
constexpr bool category_is_free() {
    if constexpr (ConstantCategory<State>) return !reserved_category(State::category);
    return true;
}

template <class State, class Event>
struct EvolveOverload {
    static_assert(Evolves<State, Event>,
                  "this State has no `State evolve(State, const Event&)` for this event in the "
                  "namespace of the State");
};
template <class State, class Command>
struct DecideOverload {
    static_assert(std::is_base_of_v<google::protobuf::Message, Command>,
                  "a command is a protobuf message");
    static_assert(
        Decides<State, Command>,
        "this State has no `recount::Decision<State> decide(const State&, const Command&)` "
        "for this command in the namespace of the State");
};
template <class State>
struct IsState {
    static_assert(HasCategory<State>,
                  "this State has no `static constexpr std::string_view category = \"...\"`");
    static_assert(category_is_valid<State>(),
                  "the category of this State is no beginning of a stream's name: 1 to 253 bytes "
                  "of UTF-8 without '-' and control characters");
    static_assert(category_is_free<State>(),
                  "the category of this State is one of recount's own (saga, sagacursor, "
                  "sagaalarm); choose another");
    static_assert(std::default_initializable<State> && std::copyable<State>,
                  "a State is a value that starts empty: default constructible and copyable");
};
template <class State, class List>
struct EveryEvolve {
    static_assert(sizeof(State) == 0, "this State's Event is not a recount::Events<...>");
};
template <class State, class... Event>
struct EveryEvolve<State, Events<Event...>> : EvolveOverload<State, Event>... {};

}  // namespace check

/// Instantiates the checks of a State: category, Event, one evolve for each event. The compiler
/// reports what is missing where the checks are, naming State and message.
template <class State>
constexpr bool checked_state() {
    (void)sizeof(check::IsState<State>);
    (void)sizeof(check::EveryEvolve<State, typename check::EventsOf<State>::type>);
    if constexpr (requires { typename State::Older; }) {
        (void)check::EveryUpcast<typename check::EventsOf<State>::type, typename State::Older>::end;
    }
    return true;
}

/// The state after one more recorded event. Throws UnreadableEvent for a type that State::Event
/// and State::Older do not list (UnknownType), for bytes that are no such message, and for an
/// erased payload that State does not expect.
template <class State>
State fold(State state, const RecordedEvent& event) {
    using List = typename check::EventsOf<State>::type;
    // Ours: it says nothing of a State that does not ask for it.
    if (event.at.type == stream_closed_type && !List::visit_type(event.at.type, [](auto) {})) {
        return state;
    }
    if (event.erased()) {
        if constexpr (Evolves<State, Erased>) {
            return evolve(std::move(state),
                          Erased{event.at.position, event.at.version, event.at.type});
        } else {
            throw UnreadableEvent(
                "event " + std::to_string(event.at.version.value) + " of stream " +
                event.at.stream.full() +
                " was erased, and no snapshot reaches beyond it; give its State an "
                "evolve(State, const recount::Erased&)");
        }
    }
    const bool known = visit_event<State, List>(event, [&]<class E>(const E& message) {
        (void)sizeof(check::EvolveOverload<State, E>);
        if constexpr (Evolves<State, E>) state = evolve(std::move(state), message);
    });
    if (!known) {
        throw UnknownType(event,
                          "which its State::Event does not list; add it there, or to State::Older "
                          "with an upcast");
    }
    return state;
}

/// The state after an event that has just been decided.
template <class State>
State fold(State state, const typename check::EventsOf<State>::type::Variant& event) {
    return std::visit(
        [&]<class E>(const E& message) {
            (void)sizeof(check::EvolveOverload<State, E>);
            if constexpr (Evolves<State, E>) {
                return evolve(std::move(state), message);
            } else {
                return std::move(state);
            }
        },
        event);
}

}  // namespace recount
