#pragma once

#include <recount/saga/state.hpp>

#include <string>
#include <vector>

#include "layout.hpp"
#include "orders.hpp"

namespace recount::saga_test {

inline Timestamp at(std::int64_t ms) { return Timestamp{std::chrono::milliseconds{ms}}; }

/// A saga under test: what it recorded, and what it is.
struct Case {
    saga::Saga saga;
    std::vector<saga::Saga::Event::Variant> events;

    explicit Case(const Ordered& order) {
        const Plan plan = Fulfil::plan(order);
        saga::Begin begin;
        const saga::Layout layout =
            saga::lay_out(plan.description(), [](const NewEvent&) { return "account-a"; });
        saga::describe(plan.description(), layout, begin.begun);
        begin.begun.set_name("fulfil");
        begin.begun.set_id(order.id());
        begin.pages = layout.pages;
        apply(begin);
    }

    template <class Command>
    std::size_t apply(const Command& command) {
        saga::Move move = saga::move(std::move(saga), command);
        saga = std::move(move.saga);
        for (const auto& event : move.decision.events()) events.push_back(event);
        return move.decision.events().size();
    }
    std::size_t answer(std::uint32_t step, CommandOutcome::Kind kind = CommandOutcome::Kind::events,
                       std::int64_t ms = 1, saga::Way way = saga::Way::forth,
                       std::uint32_t attempt = 1) {
        return apply(saga::Learn{at(ms), {saga::Answer{step, way, attempt, kind, {"no", ""}}}});
    }
    std::size_t pass(std::int64_t ms) { return apply(saga::Learn{at(ms), {}}); }
    template <class Event>
    [[nodiscard]] int count() const {
        int found = 0;
        for (const auto& event : events) found += std::holds_alternative<Event>(event) ? 1 : 0;
        return found;
    }
};

}  // namespace recount::saga_test
