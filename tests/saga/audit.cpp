#include <recount/core/fold.hpp>
#include <recount/saga/state.hpp>

#include "orders.hpp"

namespace recount::saga_test {
namespace {

/// When each effect was done and undone, as numbers in the order of the log.
struct Effects {
    std::map<std::string, std::vector<std::size_t>> done, undone, closed;
    std::map<std::string, std::size_t> undo_begun;  // by order
    std::map<std::string, std::string> end;         // of the saga of an order
};

Effects effects_of(EventStore& store) {
    Effects effects;
    const std::vector<RecordedEvent> events = all_events(store);
    for (std::size_t at = 0; at < events.size(); ++at) {
        const RecordedEvent& event = events[at];
        const std::string id{event.at.stream.id()};
        const std::string order = id.substr(id.find('.') + 1);
        if (event.at.type == type_name<Done>())
            effects.done[parse_as<Done>(event).effect()].push_back(at);
        if (event.at.type == type_name<Undone>())
            effects.undone[parse_as<Undone>(event).effect()].push_back(at);
        if (event.at.type == type_name<OrderClosed>())
            effects.closed[parse_as<OrderClosed>(event).effect()].push_back(at);
        if (event.at.stream.category() == "saga" && !id.starts_with("fulfil.")) continue;
        if (event.at.type == type_name<saga::v1::UndoBegun>()) effects.undo_begun[order] = at;
        if (event.at.type == type_name<saga::v1::SagaEnded>())
            effects.end[order] +=
                parse_as<saga::v1::SagaEnded>(event).how() == saga::v1::SagaEnded::COMPLETED
                    ? "completed"
                    : "compensated";
    }
    return effects;
}

bool waits_for(const Part& later, const Part& earlier) {
    for (const std::string& after : later.after()) {
        if (after == earlier.name()) return true;
        if (after.ends_with('*') && earlier.name().starts_with(after.substr(0, after.size() - 1)))
            return true;
    }
    return false;
}

class Auditor {
public:
    Auditor(EventStore& store, Engines engines) : effects_(effects_of(store)), engines_(engines) {}

    void check(const Ordered& order) {
        const std::string& end = effects_.end[order.id()];
        if (end != "completed" && end != "compensated") say(order.id() + " ended \"" + end + "\"");
        for (const Part& one : order.parts()) check_balance(order, one, end == "compensated");
        for (const Part& later : order.parts())
            for (const Part& earlier : order.parts())
                if (waits_for(later, earlier)) check_order(order, earlier, later);
        const std::size_t closed = effects_.closed[order.id()].size();
        if (closed != (end == "compensated" && order.when_undone() ? 1 : 0))
            say(order.id() + " was closed " + std::to_string(closed) + " times");
    }
    std::vector<std::string> take() { return std::move(wrong_); }

private:
    void say(std::string what) { wrong_.push_back(std::move(what)); }

    void check_balance(const Ordered& order, const Part& one, bool compensated) {
        const std::string effect = order.id() + "/" + one.name();
        const auto& done = effects_.done[effect];
        const auto& undone = effects_.undone[effect];
        if (done.size() > 1) say(effect + " was done " + std::to_string(done.size()) + " times");
        const std::size_t expected = compensated && one.has_undo() ? done.size() : 0;
        if (undone.size() != expected)
            say(effect + " was done " + std::to_string(done.size()) + " and undone " +
                std::to_string(undone.size()) + " times");
        if (!compensated && done.size() != 1) say(effect + " was left out");
        const auto begun = effects_.undo_begun.find(order.id());
        for (const std::size_t at : done)
            if (engines_ == Engines::one && begun != effects_.undo_begun.end() &&
                at > begun->second)
                say(effect + " was done after undoing had begun");
        for (const std::size_t at : undone)
            if (begun == effects_.undo_begun.end() || at < begun->second)
                say(effect + " was undone before undoing had begun");
    }

    void check_order(const Ordered& order, const Part& earlier, const Part& later) {
        const auto& done = [&](const Part& one) {
            return effects_.done[order.id() + "/" + one.name()];
        };
        const auto& undone = [&](const Part& one) {
            return effects_.undone[order.id() + "/" + one.name()];
        };
        if (!done(later).empty() && (done(earlier).empty() || done(later)[0] < done(earlier)[0]))
            say(later.name() + " of " + order.id() + " was done before " + earlier.name());
        if (!undone(later).empty() && !undone(earlier).empty() &&
            undone(earlier)[0] < undone(later)[0])
            say(earlier.name() + " of " + order.id() + " was undone before " + later.name());
    }

    Effects effects_;
    Engines engines_;
    std::vector<std::string> wrong_;
};

}  // namespace

std::vector<RecordedEvent> all_events(EventStore& store) {
    std::vector<RecordedEvent> events;
    for (std::int64_t after = 0;;) {
        LogPage page = store.read(Partition{0}, after);
        for (RecordedEvent& event : page.events) {
            after = event.at.position.n;
            events.push_back(std::move(event));
        }
        if (page.end) return events;
    }
}

std::vector<std::string> audit(EventStore& store, const std::vector<Ordered>& orders,
                               Engines engines) {
    Auditor auditor{store, engines};
    for (const Ordered& order : orders) auditor.check(order);
    return auditor.take();
}

}  // namespace recount::saga_test
