#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/arena.h>

#include <recount/core/upcast.hpp>
#include <recount/projections/view_type.hpp>

namespace recount {

/// What a view does with one type of event; `event` is of that type. No state: plain functions.
struct EventHook {
    using Keys = void (*)(const google::protobuf::Message& event, const Recorded& at,
                          std::vector<std::string>& keys);
    using Evolve = Row (*)(google::protobuf::Message& row, const google::protobuf::Message& event,
                           const Recorded& at, std::string_view key);
    using On = void (*)(const google::protobuf::Message& event, const Recorded& at, Sql& sql);
    using Decode = google::protobuf::Message* (*)(const RecordedEvent& event,
                                                  google::protobuf::Arena& arena);

    std::string type;  // the message's full name
    const google::protobuf::Message* prototype = nullptr;
    Keys keys = nullptr;      // nothing: the stream's id
    Evolve evolve = nullptr;  // of a keyed view
    On on = nullptr;          // of a SQL view
    Decode decode = nullptr;  // of an older type: makes one like the prototype of it
};

/// What a view does with an event of its types whose payload was erased.
struct ErasedHook {
    using Keys = void (*)(const Erased& event, const Recorded& at, std::vector<std::string>& keys);
    using Evolve = Row (*)(google::protobuf::Message& row, const Erased& event, const Recorded& at,
                           std::string_view key);
    using On = void (*)(const Erased& event, const Recorded& at, Sql& sql);
    Keys keys = nullptr;
    Evolve evolve = nullptr;
    On on = nullptr;
};

/// A View type without its type: all that the compiled half of this module knows of it. A value.
struct ViewDefinition {
    std::string name;
    int version = 0;
    std::optional<std::string> category;
    const google::protobuf::Message* row = nullptr;  // of a keyed view
    void (*create)(Sql& sql) = nullptr;              // of a SQL view
    bool keyed_by_stream = false;                    // the key is the stream's id
    std::vector<EventHook> events;
    std::optional<ErasedHook> erased;

    [[nodiscard]] bool keyed() const { return row != nullptr; }
};

/// Throws InvalidArgument when a view's name, version or row cannot be used, and says why.
void check_definition(const ViewDefinition& definition);

namespace view_hooks {

template <class V, class E>
Row evolve(google::protobuf::Message& row, const E& event, const Recorded& at,
           std::string_view key) {
    auto& typed = static_cast<typename V::Row&>(row);
    const auto call = [&] {
        if constexpr (Evolves4<V, typename V::Row, E>) {
            return V::evolve(typed, event, at, key);
        } else {
            return V::evolve(typed, event, at);
        }
    };
    if constexpr (std::is_same_v<decltype(call()), void>) {
        call();
        return Row::keep;
    } else {
        return call();
    }
}

template <class V, class E>
void keys(const E& event, const Recorded& at, std::vector<std::string>& out) {
    if constexpr (KeysOf<V, E>) {
        out = V::keys_of(event, at);
    } else {
        out.clear();
        out.emplace_back(V::key_of(event, at));
    }
}

template <class V, class E>
EventHook hook() {
    EventHook made;
    made.type = type_name<E>();
    made.prototype = &E::default_instance();
    if constexpr (KeyedView<V>) {
        made.evolve = [](google::protobuf::Message& row, const google::protobuf::Message& event,
                         const Recorded& at, std::string_view key) {
            return evolve<V, E>(row, static_cast<const E&>(event), at, key);
        };
        if constexpr (NamesKeyOf<V> || NamesKeysOf<V>) {
            made.keys = [](const google::protobuf::Message& event, const Recorded& at,
                           std::vector<std::string>& out) {
                keys<V, E>(static_cast<const E&>(event), at, out);
            };
        }
    } else {
        made.on = [](const google::protobuf::Message& event, const Recorded& at, Sql& sql) {
            V::on(static_cast<const E&>(event), at, sql);
        };
    }
    return made;
}

/// The hook of what an event of an older type is upcast to.
template <class V, class Old>
EventHook older_hook() {
    using Stored = typename older::Entry<Old>::Message;
    using Current = typename check::UpcastChain<typename V::Event, Stored>::Current;
    EventHook made = hook<V, Current>();
    made.type = older::Entry<Old>::stored_as();
    made.decode = [](const RecordedEvent& event,
                     google::protobuf::Arena& arena) -> google::protobuf::Message* {
        auto* message = google::protobuf::Arena::CreateMessage<Current>(&arena);
        *message = older::read<typename V::Event, Old>(event);
        return message;
    };
    return made;
}

template <class V>
std::optional<ErasedHook> erased_hook() {
    ErasedHook made;
    if constexpr (!KeyedView<V>) {
        if constexpr (!On<V, Erased>)
            return std::nullopt;
        else
            made.on = [](const Erased& event, const Recorded& at, Sql& sql) {
                V::on(event, at, sql);
            };
    } else if constexpr (!Evolves<V, Erased>) {
        return std::nullopt;
    } else {
        made.evolve = &evolve<V, Erased>;
        if constexpr (KeyOf<V, Erased> || KeysOf<V, Erased>) {
            made.keys = &keys<V, Erased>;
        } else if constexpr (NamesKeyOf<V> || NamesKeysOf<V>) {
            return std::nullopt;  // nobody knows whose row it is
        }
    }
    return made;
}

}  // namespace view_hooks

/// Checks a View type at compile time and makes its definition.
template <class V>
ViewDefinition define_view() {
    static_assert(checked_view<V>());
    ViewDefinition definition;
    definition.name = std::string{std::string_view{V::name}};
    definition.version = V::version;
    if constexpr (requires {
                      { V::category } -> std::convertible_to<std::string_view>;
                  }) {
        definition.category = std::string{std::string_view{V::category}};
    }
    if constexpr (KeyedView<V>) {
        definition.row = &V::Row::default_instance();
        definition.keyed_by_stream = !view_hooks::NamesKeyOf<V> && !view_hooks::NamesKeysOf<V>;
    } else {
        definition.create = [](Sql& sql) { V::create(sql); };
    }
    V::Event::for_each_type([&]<class E>(std::type_identity<E>) {
        definition.events.push_back(view_hooks::hook<V, E>());
    });
    older::for_each<typename V::Event>(
        typename older::Of<V>::type{}, [&]<class Old>(std::type_identity<Old>) {
            definition.events.push_back(view_hooks::older_hook<V, Old>());
        });
    definition.erased = view_hooks::erased_hook<V>();
    return definition;
}

}  // namespace recount
