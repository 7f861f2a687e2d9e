#pragma once

#include <concepts>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <recount/core/append.hpp>
#include <recount/core/events.hpp>

namespace recount {

/// The decision to record no event: what was asked for is already so.
struct Nothing {};
inline Nothing nothing() { return {}; }

/// The decision to refuse: a stable code for programs, a detail for people.
inline Rejection reject(std::string code, std::string detail = {}) {
    return {std::move(code), std::move(detail)};
}

/// Several events at once: `return recount::events(added, checked_out);`
template <class... Event>
std::tuple<Event...> events(Event... event) {
    return {std::move(event)...};
}

/// Each check is a type of its own, so that the compiler's first lines name state and message.
namespace check {

template <class State>
struct EventsOf {
    static_assert(
        requires { typename State::Event; },
        "this State has no `using Event = recount::Events<...>`");
    using type = Events<>;
};
template <class State>
    requires requires { typename State::Event; }
struct EventsOf<State> {
    using type = typename State::Event;
};
template <class State, class Event>
struct ListedEvent {
    static_assert(EventsOf<State>::type::template contains<Event>,
                  "decide returned an event that State::Event does not list; add it there");
};

template <class State, class Event>
struct GivenEvent {
    static_assert(EventsOf<State>::type::template contains<Event>,
                  "given() lists an event that State::Event does not list");
};

}  // namespace check

/// What a command decided: events in order, nothing, or a refusal.
template <class State>
class Decision {
public:
    using EventList = typename check::EventsOf<State>::type;
    using Variant = typename EventList::Variant;

    Decision() = default;  // nothing, until events are added
    Decision(Nothing) {}
    Decision(Rejection rejection) : rejection_(std::move(rejection)), rejected_(true) {}

    template <std::derived_from<google::protobuf::Message> Event>
    Decision(Event event) {
        add(std::move(event));
    }
    template <class... Event>
    Decision(std::tuple<Event...> events) {
        std::apply([this](auto&... event) { (this->add(std::move(event)), ...); }, events);
    }

    /// One more event, for decisions of a length known only at run time.
    template <class Event>
    Decision& add(Event event) {
        (void)sizeof(check::ListedEvent<State, Event>);
        if constexpr (EventList::template contains<Event>) {
            events_.push_back(Variant{std::move(event)});
        }
        return *this;
    }

    [[nodiscard]] bool rejected() const { return rejected_; }
    [[nodiscard]] const Rejection& rejection() const { return rejection_; }
    [[nodiscard]] const std::vector<Variant>& events() const { return events_; }

private:
    std::vector<Variant> events_;
    Rejection rejection_;
    bool rejected_ = false;
};

}  // namespace recount
