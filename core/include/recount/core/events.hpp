#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <google/protobuf/message.h>

namespace recount {

/// The full protobuf name of a message type, as events and commands are stored under it.
template <class Message>
const std::string& type_name() {
    static const std::string& name = Message::descriptor()->full_name();  // costs a look-up
    return name;
}

/// A closed list of message types: the events of a state or view, the commands of a saga.
template <class... Message>
struct Events {
    static_assert((std::is_base_of_v<google::protobuf::Message, Message> && ...),
                  "recount::Events lists protobuf messages only");
    using Variant = std::variant<Message...>;

    template <class M>
    static constexpr bool contains = (std::is_same_v<M, Message> || ...);

    /// Calls `visit` with an empty message of the type named `type`; false when it is not in the
    /// list.
    template <class Visit>
    static bool visit_type(std::string_view type, Visit&& visit) {
        return (
            (type == type_name<Message>() ? (visit(std::type_identity<Message>{}), true) : false) ||
            ...);
    }
    /// Calls `visit(std::type_identity<M>{})` for each type of the list.
    template <class Visit>
    static void for_each_type(Visit&& visit) {
        (visit(std::type_identity<Message>{}), ...);
    }
};

/// No types at all: no event can be recorded, no type is known.
template <>
struct Events<> {
    using Variant = std::variant<std::monostate>;

    template <class M>
    static constexpr bool contains = false;

    template <class Visit>
    static bool visit_type(std::string_view, Visit&&) {
        return false;
    }
    template <class Visit>
    static void for_each_type(Visit&&) {}
};

}  // namespace recount
