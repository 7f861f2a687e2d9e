#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <recount/core/event.hpp>
#include <recount/core/events.hpp>
#include <recount/core/fold.hpp>
#include <recount/eventstore/sql.hpp>

namespace recount {

/// What becomes of a row after an event: kept as it is now, or gone.
enum class Row : std::uint8_t { keep, remove };

/// A view type is keyed, one row a key, when it names its row; else it is written in SQL.
///
///     struct CartSummary {
///         static constexpr std::string_view name = "cart_summary";
///         static constexpr int version = 1;  // raised when anything changes
///         using Row = CartRow;               // a protobuf message; its fields become columns
///         using Event = recount::Events<ItemAdded, CheckedOut>;
///         static void evolve(CartRow&, const ItemAdded&, const recount::Recorded&);
///         static recount::Row evolve(CartRow&, const CheckedOut&, const recount::Recorded&);
///     };
///
/// Optional members of a keyed view:
///   category              its events come from streams of this category only; a read by key then
///                         waits for that stream's partition alone
///   key_of(event, at)     std::string: the row's key; without it, the stream's id
///   keys_of(event, at)    std::vector<std::string>: several rows for one event, once each; evolve
///                         may take the key as a fourth argument, a std::string_view
///   evolve(Row&, const recount::Erased&, at)
///                         what an event of this view whose payload was erased means; without it
///                         such an event parks its stream; with key_of or keys_of it needs one, too
/// A SQL view has `create(Sql&)` and `on(event, at, Sql&)` in their place.
template <class V>
concept KeyedView = requires {
    typename V::Row;
};

namespace view_hooks {

template <class R>
concept Verdict = std::same_as<R, void> || std::same_as<R, Row>;

// A row taken by value would be changed and lost: it is the one that binds to a const row too.
template <class V, class R, class E>
concept Evolves3 = requires(R& row, const E& event, const Recorded& at) {
    { V::evolve(row, event, at) } -> Verdict;
}
&&!requires(const R& row, const E& event, const Recorded& at) { V::evolve(row, event, at); };

template <class V, class R, class E>
concept Evolves4 = requires(R& row, const E& event, const Recorded& at, std::string_view key) {
    { V::evolve(row, event, at, key) } -> Verdict;
}
&&!requires(const R& row, const E& event, const Recorded& at, std::string_view key) {
    V::evolve(row, event, at, key);
};

template <class V, class E>
concept Evolves = Evolves3<V, typename V::Row, E> || Evolves4<V, typename V::Row, E>;

template <class V, class E>
concept On = requires(const E& event, const Recorded& at, Sql& sql) {
    { V::on(event, at, sql) } -> std::same_as<void>;
};

template <class V, class E>
concept KeyOf = requires(const E& event, const Recorded& at) {
    { V::key_of(event, at) } -> std::convertible_to<std::string>;
};
template <class V, class E>
concept KeysOf = requires(const E& event, const Recorded& at) {
    { V::keys_of(event, at) } -> std::same_as<std::vector<std::string>>;
};

// Is there a member of that name at all, overloaded or not? Then the bait makes it ambiguous.
struct KeyOfBait {
    int key_of;
};
struct KeysOfBait {
    int keys_of;
};
template <class V, class Bait>
struct Probe : V, Bait {};
template <class V>
concept NamesKeyOf = !requires {
    &Probe<V, KeyOfBait>::key_of;
};
template <class V>
concept NamesKeysOf = !requires {
    &Probe<V, KeysOfBait>::keys_of;
};

/// Stands for any event: whoever takes it takes everything, and was not written for one.
struct Anything {};
template <class V>
concept EvolvesErased = Evolves<V, Erased> && !Evolves<V, Anything>;

}  // namespace view_hooks

/// Each check is a type of its own, so that the compiler's first lines name view and event.
namespace check {

template <class V>
struct IsView {
    static_assert(
        requires {
            { V::name } -> std::convertible_to<std::string_view>;
        },
        "a View has `static constexpr std::string_view name = \"...\"`");
    static_assert(
        requires {
            { V::version } -> std::convertible_to<int>;
        },
        "a View has `static constexpr int version = 1`");
    static_assert(
        requires { typename V::Event; }, "a View has `using Event = recount::Events<...>`");
    static_assert(!std::is_final_v<V>, "a View is not final: its hooks are looked up by name");
    static_assert(
        KeyedView<V> || requires(Sql & sql) { V::create(sql); },
        "a View has `using Row = ...` (keyed) or `static void create(recount::Sql&)` (SQL)");
    static_assert(!(KeyedView<V> && requires(Sql & sql) { V::create(sql); }),
                  "a View is keyed (Row, evolve) or SQL (create, on), not both");
};
template <class V>
struct HasRow {
    static_assert(std::is_base_of_v<google::protobuf::Message, typename V::Row>,
                  "the Row of a View is a protobuf message");
};
template <class V, class E>
struct EvolveHook {
    static_assert(
        view_hooks::Evolves<V, E>,
        "this View has no `static void evolve(Row&, const Event&, const recount::Recorded&)` "
        "for this event; it may return recount::Row, and takes the row by reference");
};
template <class V, class E>
struct OnHook {
    static_assert(view_hooks::On<V, E>,
                  "this View has no `static void on(const Event&, const recount::Recorded&, "
                  "recount::Sql&)` for this event");
};
template <class V, class E>
struct KeyHook {
    static_assert(!view_hooks::NamesKeyOf<V> || view_hooks::KeyOf<V, E>,
                  "this View's key_of is not `static std::string key_of(const Event&, const "
                  "recount::Recorded&)` for this event");
    static_assert(
        !view_hooks::NamesKeysOf<V> || view_hooks::KeysOf<V, E>,
        "this View's keys_of is not `static std::vector<std::string> keys_of(const Event&, "
        "const recount::Recorded&)` for this event");
    static_assert(!(view_hooks::NamesKeyOf<V> && view_hooks::NamesKeysOf<V>),
                  "a View has key_of or keys_of, not both");
};

template <class V>
struct ErasedKeyHook {
    static_assert(!view_hooks::EvolvesErased<V> ||
                      (!view_hooks::NamesKeyOf<V> && !view_hooks::NamesKeysOf<V>) ||
                      view_hooks::KeyOf<V, Erased> || view_hooks::KeysOf<V, Erased>,
                  "this View has an evolve for recount::Erased, and a key_of or keys_of, but none "
                  "that takes a recount::Erased: whose row would it be?");
};

template <class V, class List>
struct EveryHook;
template <class V, class... E>
    requires KeyedView<V>
struct EveryHook<V, Events<E...>> : EvolveHook<V, E>..., KeyHook<V, E>..., ErasedKeyHook<V> {
};
template <class V, class... E>
    requires(!KeyedView<V>)
struct EveryHook<V, Events<E...>> : OnHook<V, E>... {};

}  // namespace check

/// Instantiates the checks of a View: its constants, and every hook for every event.
template <class V>
constexpr bool checked_view() {
    (void)sizeof(check::IsView<V>);
    if constexpr (KeyedView<V>) (void)sizeof(check::HasRow<V>);
    (void)sizeof(check::EveryHook<V, typename V::Event>);
    return true;
}

}  // namespace recount
