#pragma once

#include <functional>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_map>

#include <recount/core/event.hpp>
#include <recount/core/upcast.hpp>
#include <recount/saga/hooks.hpp>
#include <recount/saga/plan.hpp>

namespace recount::saga {

/// One kind of saga without its type. Made by SagaEngine::add.
struct Kind {
    struct Start {
        std::function<std::string(const RecordedEvent&)> id_of;
        std::function<Plan(const RecordedEvent&)> plan;
    };
    std::string name;
    std::set<std::string> commands;                 // message types it may send
    std::unordered_map<std::string, Start> starts;  // by the type of the starting event
};

template <class S>
Kind make_kind() {
    (void)checked_saga<S>();
    Kind kind;
    // Of an incomplete saga nothing else is said than what the checks say.
    if constexpr (!check::complete_saga<S>()) {
        return kind;
    } else {
        kind.name = S::name;
        S::Command::for_each_type(
            [&]<class M>(std::type_identity<M>) { kind.commands.insert(type_name<M>()); });
        S::StartedBy::for_each_type([&]<class E>(std::type_identity<E>) {
            kind.starts[type_name<E>()] = {
                [](const RecordedEvent& event) {
                    return std::string{S::id_of(parse_as<E>(event))};
                },
                [](const RecordedEvent& event) { return S::plan(parse_as<E>(event)); }};
        });
        older::for_each<typename S::StartedBy>(
            typename older::Of<S>::type{}, [&]<class Old>(std::type_identity<Old>) {
                kind.starts[std::string{older::Entry<Old>::stored_as()}] = {
                    [](const RecordedEvent& event) {
                        return std::string{
                            S::id_of(older::read<typename S::StartedBy, Old>(event))};
                    },
                    [](const RecordedEvent& event) {
                        return S::plan(older::read<typename S::StartedBy, Old>(event));
                    }};
            });
        return kind;
    }
}

}  // namespace recount::saga
