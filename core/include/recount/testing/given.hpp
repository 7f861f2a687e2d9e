#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <recount/core/decision.hpp>
#include <recount/core/fold.hpp>
#include <recount/core/upcast.hpp>
#include <recount/testing/location.hpp>

namespace recount::test {

/// Each event as its type and its fields in protobuf's text format.
template <class Variant>
std::string text_of(const std::vector<Variant>& events) {
    std::string text;
    for (const Variant& event : events) {
        text += std::visit(
            [](const auto& message) {
                return "  " + message.GetTypeName() + " { " + message.ShortDebugString() + " }\n";
            },
            event);
    }
    return text.empty() ? "  nothing\n" : text;
}

/// What a command came to, to be compared. Every chain ends with one of the `then…`: one that does
/// not is a failed test. Failures are reported at the line of `when`.
template <class State>
class Decided {
public:
    Decided(Decision<State> decision, Location at) : decision_(std::move(decision)), at_(at) {}
    Decided(const Decided&) = delete;
    Decided& operator=(const Decided&) = delete;
    ~Decided() {
        if (!compared_)
            fail(
                "this chain compares nothing: end it with then(...), then_nothing() or "
                "then_rejected(...)");
    }

    /// Exactly these events, in this order.
    template <class First, class... Rest>
    void then(const First& first, const Rest&... rest) {
        (void)sizeof(check::ListedEvent<State, First>);
        ((void)sizeof(check::ListedEvent<State, Rest>), ...);
        compare({Variant{first}, Variant{rest}...});
    }

    /// No event, and no refusal.
    void then_nothing() { compare({}); }

    /// A refusal with this code.
    void then_rejected(const std::string& code) {
        compared_ = true;
        if (decision_.rejected() && decision_.rejection().code == code) return;
        fail("expected:\n  rejected: " + code + "\ndecided:\n" + decided());
    }

private:
    using Variant = typename Decision<State>::Variant;

    static bool same(const Variant& left, const Variant& right) {
        if (left.index() != right.index()) return false;
        return std::visit(
            [&](const auto& message) {
                using Message = std::decay_t<decltype(message)>;
                return google::protobuf::util::MessageDifferencer::Equals(message,
                                                                          std::get<Message>(right));
            },
            left);
    }

    void compare(const std::vector<Variant>& expected) {
        compared_ = true;
        const std::vector<Variant>& events = decision_.events();
        bool equal = !decision_.rejected() && events.size() == expected.size();
        for (std::size_t i = 0; equal && i < events.size(); ++i)
            equal = same(events[i], expected[i]);
        if (!equal) fail("expected:\n" + text_of(expected) + "decided:\n" + decided());
    }

    [[nodiscard]] std::string decided() const {
        if (!decision_.rejected()) return text_of(decision_.events());
        const Rejection& rejection = decision_.rejection();
        return "  rejected: " + rejection.code +
               (rejection.detail.empty() ? "" : " (" + rejection.detail + ")") + "\n";
    }

    void fail(const std::string& message) const { ADD_FAILURE_AT(at_.file, at_.line) << message; }

    Decision<State> decision_;
    Location at_;
    bool compared_ = false;
};

/// The state that some events lead to.
template <class State>
class Given {
public:
    explicit Given(State state) : state_(std::move(state)) {}

    /// Decides; a pure function, so that it may be asked often.
    template <class Command>
    [[nodiscard]] Decided<State> when(const Command& command, Location at = here()) const {
        (void)sizeof(check::DecideOverload<State, Command>);
        if constexpr (Decides<State, Command>) {
            return Decided<State>{decide(state_, command), at};
        } else {
            return Decided<State>{Decision<State>{}, at};
        }
    }

    [[nodiscard]] const State& state() const { return state_; }

private:
    State state_;
};

template <class Event, class... Old>
constexpr bool among(const Older<Old...>&) {
    return (std::is_same_v<Event, typename older::Entry<Old>::Message> || ...);
}

/// Begins a chain: `given<Cart>(events...).when(command).then(events...)`. What State::Older lists
/// is upcast as it is when it is read; `recount::Erased{}` stands for an event that was erased, for
/// a State that goes on without it.
template <class State, class... Event>
    requires HasCategory<State>
[[nodiscard]] Given<State> given(const Event&... event) {
    static_assert(checked_state<State>());
    using List = typename check::EventsOf<State>::type;
    State state{};
    [[maybe_unused]] const auto add = [&]<class E>(const E& one) {
        if constexpr (List::template contains<E>) {
            state = evolve(std::move(state), one);
        } else if constexpr (std::is_same_v<E, Erased>) {
            (void)sizeof(check::EvolveOverload<State, E>);
            if constexpr (Evolves<State, E>) state = evolve(std::move(state), one);
        } else if constexpr (among<E>(typename older::Of<State>::type{})) {
            state = evolve(std::move(state), older::current<List>(one));
        } else {
            (void)sizeof(check::GivenEvent<State, E>);
        }
    };
    (add(event), ...);
    return Given<State>{std::move(state)};
}

}  // namespace recount::test
