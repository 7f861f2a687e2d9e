#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recount/core/event.hpp>
#include <recount/core/events.hpp>

namespace recount {

/// Text as a template's argument.
template <std::size_t size>
struct Name {
    char text[size]{};
    constexpr Name(const char (&from)[size]) { std::copy_n(from, size, text); }
    [[nodiscard]] constexpr std::string_view view() const { return {text, size - 1}; }
};

/// In a list of older types: events were stored as `stored_as` before their message, of the same
/// fields, was renamed to Message.
template <Name stored_as, class Message>
struct Renamed {};

/// The types under which events were stored once and are no more, beside Event in a State or view:
/// messages with an `upcast`, and renamed ones. An upcast makes of an older message the one that
/// followed it, found by argument-dependent lookup; they are chained until Event lists the result.
///
///     struct Cart {
///         using Event = recount::Events<ItemAdded, CheckedOut>;
///         using Older = recount::Older<ItemAddedV1, recount::Renamed<"shop.Ordered", CheckedOut>>;
///     };
///     ItemAdded upcast(const ItemAddedV1& old);
template <class... Old>
struct Older {};

template <class Message>
concept Upcasts = requires(const Message& message) {
    { upcast(message) } -> std::derived_from<google::protobuf::Message>;
};

namespace older {

/// One entry of the list: the name in the store, and the message its bytes are.
template <class Old>
struct Entry {
    static_assert(std::is_base_of_v<google::protobuf::Message, Old>,
                  "recount::Older lists protobuf messages and recount::Renamed only");
    using Message = Old;
    static std::string_view stored_as() { return type_name<Old>(); }
};
template <Name name, class Renamed_>
struct Entry<Renamed<name, Renamed_>> {
    using Message = Renamed_;
    static std::string_view stored_as() { return name.view(); }
};

template <class Owner>
struct Of {
    using type = Older<>;
};
template <class Owner>
    requires requires { typename Owner::Older; }
struct Of<Owner> {
    using type = typename Owner::Older;
};

}  // namespace older

namespace check {

/// Follows a chain of upcasts from Message; Seen are the types behind it.
template <class List, class Message, class... Seen>
struct UpcastChain {
    static_assert((!std::is_same_v<Message, Seen> && ...),
                  "this chain of upcasts comes back to where it was; end it in a type that Event "
                  "lists");
    static_assert(Upcasts<Message>,
                  "an older type has no `upcast(const Message&)`, in the namespace of the Message, "
                  "that leads to a type that Event lists");
    static constexpr bool ends = false;
};
template <class List, class Message, class... Seen>
    requires(List::template contains<Message>)
struct UpcastChain<List, Message, Seen...> {
    static constexpr bool ends = true;
    using Current = Message;
};
template <class List, class Message, class... Seen>
    requires(!List::template contains<Message> && Upcasts<Message> &&
             (!std::is_same_v<Message, Seen> && ...))
struct UpcastChain<List, Message, Seen...>
    : UpcastChain<List, std::remove_cvref_t<decltype(upcast(std::declval<const Message&>()))>,
                  Message, Seen...> {};

template <class List, class Old>
struct EveryUpcast {
    static_assert(sizeof(List) == 0, "Older is not a recount::Older<...>");
};
template <class List, class... Old>
struct EveryUpcast<List, Older<Old...>> {
    static constexpr bool end =
        (UpcastChain<List, typename older::Entry<Old>::Message>::ends && ...);
};

}  // namespace check

namespace older {

/// The message as one that List lists.
template <class List, class Message>
auto current(Message message) {
    if constexpr (List::template contains<Message>) {
        return message;
    } else {
        return current<List>(upcast(std::as_const(message)));
    }
}

/// Reads an event that was stored as the entry Old says.
template <class List, class Old>
auto read(const RecordedEvent& event) {
    typename Entry<Old>::Message message;
    parse_payload(event, message, Entry<Old>::stored_as());
    return current<List>(std::move(message));
}

/// Calls `visit(std::type_identity<Old>{})` for each entry whose chain ends.
template <class List, class... Old, class Visit>
void for_each(Older<Old...>, const Visit& visit) {
    const auto one = [&]<class O>(std::type_identity<O> type) {
        if constexpr (check::UpcastChain<List, typename Entry<O>::Message>::ends) visit(type);
    };
    (one(std::type_identity<Old>{}), ...);
    (void)one;
}

}  // namespace older

/// Calls `visit(message)` with the event as one of the types of Owner::Event (or List), upcast when
/// it is stored as one of Owner::Older. False when it is neither. Throws UnreadableEvent.
template <class Owner, class List = typename Owner::Event, class Visit>
bool visit_event(const RecordedEvent& event, Visit&& visit) {
    if (List::visit_type(event.at.type,
                         [&]<class E>(std::type_identity<E>) { visit(parse_as<E>(event)); })) {
        return true;
    }
    bool found = false;
    older::for_each<List>(typename older::Of<Owner>::type{},
                          [&]<class Old>(std::type_identity<Old>) {
                              if (found || event.at.type != older::Entry<Old>::stored_as()) return;
                              found = true;
                              visit(older::read<List, Old>(event));
                          });
    return found;
}

/// Whether events are stored under this type that Owner::Event or Owner::Older lists.
template <class Owner>
bool reads_type(std::string_view type) {
    using List = typename Owner::Event;
    bool found = List::visit_type(type, [](auto) {});
    older::for_each<List>(typename older::Of<Owner>::type{},
                          [&]<class Old>(std::type_identity<Old>) {
                              found = found || type == older::Entry<Old>::stored_as();
                          });
    return found;
}

/// The names under which events are stored that Owner::Event and Owner::Older list.
template <class Owner, class List = typename Owner::Event>
const std::vector<std::string_view>& types_read() {
    static const std::vector<std::string_view> types = [] {
        std::vector<std::string_view> names;
        List::for_each_type(
            [&]<class E>(std::type_identity<E>) { names.push_back(type_name<E>()); });
        older::for_each<List>(typename older::Of<Owner>::type{},
                              [&]<class Old>(std::type_identity<Old>) {
                                  names.push_back(older::Entry<Old>::stored_as());
                              });
        return names;
    }();
    return types;
}

/// The event as one of Owner::Event, upcast when it is older:
///     const Cart::Event::Variant event = recount::current_event<Cart>(recorded);
/// Throws UnknownType, UnreadableEvent.
template <class Owner>
typename Owner::Event::Variant current_event(const RecordedEvent& event) {
    typename Owner::Event::Variant current;
    const bool known =
        visit_event<Owner>(event, [&](auto message) { current = std::move(message); });
    if (!known) {
        throw UnknownType(event, "which neither Event nor Older of its reader lists; add it there");
    }
    return current;
}

}  // namespace recount
