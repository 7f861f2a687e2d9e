#include "orders.hpp"

#include <stdexcept>

#include <recount/core/error.hpp>

namespace recount::saga_test {

Weather& Weather::today() {
    static Weather weather;
    return weather;
}

namespace {

void throw_if_wanted(const std::string& what) {
    if (!Weather::today().throwing.contains(what)) return;
    if (Weather::today().bug.empty()) throw 42;
    if (Weather::today().passes) throw Unavailable(Weather::today().bug);
    throw std::runtime_error(Weather::today().bug);
}

void contend_if_wanted(const std::string& what) {
    const auto left = Weather::today().contended.find(what);
    if (left == Weather::today().contended.end() || left->second == 0) return;
    --left->second;
    throw Contended("others write to the account of " + what + "; try again");
}

}  // namespace

Order evolve(Order order, const Ordered&) {
    ++order.placed;
    return order;
}
Order evolve(Order order, const Noted&) { return order; }
Decision<Order> decide(const Order&, const PlaceOrder& command) { return command.order(); }

Account evolve(Account account, const Done& event) {
    ++account.balance[event.effect()];
    return account;
}
Account evolve(Account account, const Undone& event) {
    --account.balance[event.effect()];
    return account;
}
Account evolve(Account account, const OrderClosed&) { return account; }

Decision<Account> decide(const Account&, const Do& command) {
    throw_if_wanted(command.effect());
    contend_if_wanted(command.effect());
    if (command.refuse()) return reject("no", "as the test wants it");
    Done done;
    done.set_effect(command.effect());
    return done;
}
Decision<Account> decide(const Account&, const Undo& command) {
    // Nothing is added to it here: several engines decide at once.
    auto& refusals = Weather::today().undo_refusals;
    const auto left = refusals.find(command.effect());
    if (left != refusals.end() && left->second > 0) {
        --left->second;
        return reject("not_now");
    }
    Undone undone;
    undone.set_effect(command.effect());
    return undone;
}
Decision<Account> decide(const Account&, const CloseOrder& command) {
    OrderClosed closed;
    closed.set_effect(command.effect());
    return closed;
}

std::string Fulfil::id_of(const Ordered& order) {
    throw_if_wanted("id of " + order.id());
    return order.id();
}

Plan Fulfil::plan(const Ordered& order) {
    throw_if_wanted("plan of " + order.id());
    Plan plan;
    if (Weather::today().throwing.contains("step of " + order.id())) {
        Do forth;
        forth.set_account("a");
        plan.step("\xff", forth);
    }
    for (const Part& part : order.parts()) {
        const std::string effect = order.id() + "/" + part.name();
        Do forth;
        forth.set_account(part.account());
        forth.set_effect(effect);
        forth.set_refuse(part.refused());
        auto step = plan.step(part.name(), forth);
        for (const std::string& earlier : part.after()) step.after(earlier);
        if (part.within_ms() > 0) step.within(std::chrono::milliseconds{part.within_ms()});
        if (!part.has_undo()) continue;
        Undo back;
        back.set_account(part.account());
        back.set_effect(effect);
        step.undo(back);
    }
    if (order.when_undone()) {
        CloseOrder close;
        close.set_account("closed");
        close.set_effect(order.id());
        plan.when_undone(close);
    }
    if (order.deadline_ms() > 0) plan.deadline(std::chrono::milliseconds{order.deadline_ms()});
    if (order.undo_attempts() > 0)
        plan.retry_undos(order.undo_attempts(), std::chrono::milliseconds{100});
    return plan;
}

Ordered order(std::string id, std::vector<Part> parts) {
    Ordered ordered;
    ordered.set_id(std::move(id));
    for (Part& one : parts) *ordered.add_parts() = std::move(one);
    ordered.set_when_undone(true);
    return ordered;
}

Part part(const std::string& name, std::vector<std::string> after) {
    Part part;
    part.set_name(name);
    part.set_account(name);
    part.set_has_undo(true);
    for (std::string& one : after) part.add_after(std::move(one));
    return part;
}
Part refused(Part part) {
    part.set_refused(true);
    return part;
}
Part without_undo(Part part) {
    part.set_has_undo(false);
    return part;
}

Service::Service(EventStore& to, SagaEngineOptions options, AddSaga add)
    : store(to), orders(to), accounts(to), sagas(to, options) {
    sagas.add<Fulfil>(add);
    sagas.deliver<Do>(accounts, [](const Do& command) { return command.account(); });
    sagas.deliver<Undo>(accounts, [](const Undo& command) { return command.account(); });
    sagas.deliver<CloseOrder>(accounts,
                              [](const CloseOrder& command) { return command.account(); });
}

void Service::place(const Ordered& order) { place(order.id(), order); }

void Service::place(const std::string& stream, const Ordered& order) {
    PlaceOrder command;
    *command.mutable_order() = order;
    static_cast<void>(orders.handle(stream, command, {.command_id = "place-" + stream}));
}

}  // namespace recount::saga_test
