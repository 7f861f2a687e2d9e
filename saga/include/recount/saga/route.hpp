#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <recount/core/batch.hpp>
#include <recount/core/error.hpp>
#include <recount/core/events.hpp>
#include <recount/core/repository.hpp>

namespace recount::saga {

/// How the commands of one type reach the state that decides them. Made by SagaEngine::deliver.
struct Route {
    using Payload = const std::string&;

    std::string category;                           // of the state
    std::function<std::string(Payload)> stream_of;  // the stream a command goes to
    std::function<void(Batch&, std::string_view id, Payload, const CommandOptions&)> enqueue;
    std::function<Outcome(std::string_view id, Payload, const CommandOptions&)> handle;
};

template <class Command>
Command parse_command(const std::string& payload) {
    Command command;
    if (!command.ParseFromString(payload))
        throw UnreadableEvent("a saga recorded a " + type_name<Command>() +
                              " that this program cannot read; bring its definition back");
    return command;
}

/// Whichever program sends it again, of this version or another, it is the same command.
inline CommandOptions with_content(CommandOptions options, const std::string& payload) {
    options.content = payload;
    return options;
}

template <class Command, class State, class IdOf>
Route make_route(Repository<State>& repository, IdOf id_of) {
    (void)sizeof(check::DecideOverload<State, Command>);
    Route route;
    route.category = State::category;
    if constexpr (!Decides<State, Command>) {
        return route;
    } else {
        route.stream_of = [id_of](const std::string& payload) {
            return StreamName{State::category, id_of(parse_command<Command>(payload))}.full();
        };
        route.enqueue = [&repository](Batch& batch, std::string_view id, const std::string& payload,
                                      const CommandOptions& options) {
            repository.enqueue(batch, id, parse_command<Command>(payload),
                               with_content(options, payload));
        };
        route.handle = [&repository](std::string_view id, const std::string& payload,
                                     const CommandOptions& options) {
            return repository.handle(id, parse_command<Command>(payload),
                                     with_content(options, payload));
        };
        return route;
    }
}

}  // namespace recount::saga
