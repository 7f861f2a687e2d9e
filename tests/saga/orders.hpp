#pragma once

#include <recount/core.hpp>
#include <recount/saga.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "saga_test.pb.h"

namespace recount::saga_test {

/// What a test lets happen in deciders, from outside: how often the undo of an effect is still
/// refused.
struct Weather {
    std::map<std::string, int> undo_refusals;
    std::map<std::string, int> contended;  // how often an effect is still another's turn
    std::set<std::string> throwing;
    bool passes = false;                        // what they throw says that it may pass
    std::string bug = "a bug in this decider";  // what they throw; empty: a number
    static Weather& today();
};

struct Order {
    static constexpr std::string_view category = "order";
    using Event = recount::Events<Ordered, Noted>;
    int placed = 0;
};
Order evolve(Order order, const Ordered& event);
Order evolve(Order order, const Noted& event);
recount::Decision<Order> decide(const Order& order, const PlaceOrder& command);

/// A ledger: each effect is done and undone as often as it is asked for, so that whoever asks twice
/// is found out.
struct Account {
    static constexpr std::string_view category = "account";
    using Event = recount::Events<Done, Undone, OrderClosed>;
    std::map<std::string, int> balance;
};
Account evolve(Account account, const Done& event);
Account evolve(Account account, const Undone& event);
Account evolve(Account account, const OrderClosed& event);
recount::Decision<Account> decide(const Account& account, const Do& command);
recount::Decision<Account> decide(const Account& account, const Undo& command);
recount::Decision<Account> decide(const Account& account, const CloseOrder& command);

/// Carries an order out, part by part.
struct Fulfil {
    static constexpr std::string_view name = "fulfil";
    using StartedBy = recount::Events<Ordered>;
    using Command = recount::Events<Do, Undo, CloseOrder>;
    static std::string id_of(const Ordered& order);
    static recount::Plan plan(const Ordered& order);
};

Ordered order(std::string id, std::vector<Part> parts);
/// A part whose commands go to the account of its own name, with an undo.
Part part(const std::string& name, std::vector<std::string> after = {});
Part refused(Part part);
Part without_undo(Part part);

/// An engine and the repositories it needs, on one store.
struct Service {
    explicit Service(EventStore& store, SagaEngineOptions options = {},
                     AddSaga add = {.from_beginning = true});
    void place(const Ordered& order);
    void place(const std::string& stream, const Ordered& order);

    EventStore& store;
    Repository<Order> orders;
    Repository<Account> accounts;
    SagaEngine sagas;
};

/// Every event of a store, in the order of its log; for a store of one partition.
std::vector<RecordedEvent> all_events(EventStore& store);

/// Of several engines at work, one may still send what another has just given up: then it happens
/// before it can be claimed, and is undone.
enum class Engines { one, several };

/// Compares what happened with what sagas promise, and returns everything that is wrong. For a
/// store of one partition.
std::vector<std::string> audit(EventStore& store, const std::vector<Ordered>& orders,
                               Engines engines = Engines::one);

}  // namespace recount::saga_test
