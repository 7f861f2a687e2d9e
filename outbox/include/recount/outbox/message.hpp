#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recount/core/event.hpp>
#include <recount/core/events.hpp>
#include <recount/core/fold.hpp>
#include <recount/core/upcast.hpp>

namespace recount {

/// What other teams are told: a record of a shape of its own, made from an event. A value.
///
///     recount::Message{placed.order_id(), announcement}  // a protobuf message under this key
struct Message {
    /// Messages of one key go to one partition, as a Java producer would choose it, and those that
    /// come from one stream stay in order. Never empty.
    std::string key;
    std::string type;   // CloudEvents' type: the protobuf message's full name
    std::string value;  // its bytes
    std::string content_type = "application/protobuf";
    /// Where the type stands in its .proto file, outermost first; for Confluent's framing.
    std::vector<int> type_path;
    /// CloudEvents' id. Nothing, as a rule: it follows from the mapping's name, the event's id and
    /// the place among its messages.
    std::optional<Uuid> id;
    /// Besides those of CloudEvents (outbox/README.md has the table).
    std::vector<std::pair<std::string, std::string>> headers;

    Message() = default;
    /// Throws InvalidArgument for an empty key.
    Message(std::string_view its_key, const google::protobuf::Message& message);
};

/// How events become messages, without the types: a name, and a pure function. A value.
struct MessageMapping {
    /// Ids of messages follow from it, so it never changes; 1 … 200 bytes.
    std::string name;
    std::function<std::vector<Message>(const RecordedEvent& event)> publish;
};

namespace message_hooks {

template <class R>
concept Messages = std::same_as<R, Message> || std::same_as<R, std::optional<Message>> ||
    std::same_as<R, std::vector<Message>>;

template <class M, class E>
concept Publishes = requires(const E& event, const Recorded& at) {
    { M::publish(event, at) } -> Messages;
};

inline std::vector<Message> in_order(Message one) {
    std::vector<Message> all;
    all.push_back(std::move(one));
    return all;
}
inline std::vector<Message> in_order(std::optional<Message> one) {
    return one ? in_order(std::move(*one)) : std::vector<Message>{};
}
inline std::vector<Message> in_order(std::vector<Message> all) { return all; }

template <class M>
std::vector<Message> publish(const RecordedEvent& event) {
    std::vector<Message> made;
    if (!event.erased()) {
        visit_event<M>(event, [&](const auto& one) { made = in_order(M::publish(one, event.at)); });
    } else if constexpr (Publishes<M, Erased>) {
        if (reads_type<M>(event.at.type)) {
            const Erased erased{event.at.position, event.at.version, event.at.type};
            made = in_order(M::publish(erased, event.at));
        }
    }
    return made;
}

}  // namespace message_hooks

/// Each check is a type of its own, so that the compiler's first lines name mapping and event.
namespace check {

template <class M>
struct IsMapping {
    static_assert(
        requires {
            { M::name } -> std::convertible_to<std::string_view>;
        },
        "a mapping to messages has `static constexpr std::string_view name = \"...\"`");
    static_assert(
        requires { typename M::Event; },
        "a mapping to messages has `using Event = recount::Events<...>`");
};
template <class M, class E>
struct PublishHook {
    static_assert(message_hooks::Publishes<M, E>,
                  "this mapping has no `static std::vector<recount::Message> publish(const Event&, "
                  "const recount::Recorded&)` for this event; it may return one recount::Message, "
                  "or std::optional of it");
};

}  // namespace check

/// The mapping that a type describes, found like the hooks of views:
///
///     /// What other teams hear of orders.
///     struct PublicOrders {
///         static constexpr std::string_view name = "public_orders";
///         using Event = recount::Events<OrderPlaced, OrderCancelled>;
///         static recount::Message publish(const OrderPlaced&, const recount::Recorded&);
///         static std::vector<recount::Message> publish(const OrderCancelled&,
///                                                      const recount::Recorded&);
///     };
///
/// Events that were stored under older types come as what they became: `using Older` and `upcast`.
/// Same event, same messages: no clock, no chance, no I/O, because after a crash an event may be
/// asked again. Other types of events become nothing, and so do events whose payload was erased,
/// unless there is a `publish(const recount::Erased&, const recount::Recorded&)`.
template <class M>
MessageMapping messages() {
    static_assert(sizeof(check::IsMapping<M>) > 0);
    M::Event::for_each_type([]<class E>(std::type_identity<E>) {
        static_assert(sizeof(check::PublishHook<M, E>) > 0);
    });
    if constexpr (requires { typename M::Older; }) {
        (void)check::EveryUpcast<typename M::Event, typename M::Older>::end;
    }
    return {std::string{std::string_view{M::name}}, &message_hooks::publish<M>};
}

/// What Debezium's event router makes of the outbox table for one category (outbox/README.md):
/// every event of it as it is, its bytes as value, the stream's id as key, and its id as header
/// `id`. For a topic named `outbox.event.<category>`.
MessageMapping debezium_events(std::string category);

/// Confluent's framing of a protobuf message: a zero byte, the schema's id, where the type stands
/// in its file, the bytes. Throws InvalidArgument for an empty path.
std::string confluent_frame(std::int32_t schema_id, const std::vector<int>& type_path,
                            std::string_view bytes);

}  // namespace recount
