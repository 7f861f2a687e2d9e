#pragma once

#include <recount/core.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "account.pb.h"

namespace recount::test {

/// A small account, as the tests' example of a State.
struct Account {
    static constexpr std::string_view category = "account";
    using Event = Events<Opened, Deposited, Closed>;

    std::string owner;
    std::int64_t balance = 0;
    bool closed = false;
};

/// An amount that `evolve` fails on.
constexpr std::int64_t unlucky = 13'013;
/// And this one if the balance is more than 12.
constexpr std::int64_t choosy = 12'012;

inline Account evolve(Account account, const Opened& event) {
    account.owner = event.owner();
    return account;
}
inline Account evolve(Account account, const Deposited& event) {
    if (event.amount() == unlucky) throw std::runtime_error("unlucky");
    if (event.amount() == choosy && account.balance > 12) throw std::runtime_error("too rich");
    account.balance += event.amount();
    return account;
}
inline Account evolve(Account account, const Closed&) {
    account.closed = true;
    return account;
}

inline Deposited deposited(std::int64_t amount) {
    Deposited event;
    event.set_amount(amount);
    return event;
}
inline Opened opened(const std::string& owner) {
    Opened event;
    event.set_owner(owner);
    return event;
}
inline Deposit deposit(std::int64_t amount) {
    Deposit command;
    command.set_amount(amount);
    return command;
}
inline Withdraw withdraw(std::int64_t amount) {
    Withdraw command;
    command.set_amount(amount);
    return command;
}
inline Open open(const std::string& owner) {
    Open command;
    command.set_owner(owner);
    return command;
}

inline Decision<Account> decide(const Account& account, const Open& command) {
    if (account.owner == command.owner()) return nothing();
    if (!account.owner.empty()) return reject("taken", "it belongs to " + account.owner);
    return opened(command.owner());
}
inline Decision<Account> decide(const Account& account, const Deposit& command) {
    if (account.closed) return reject("closed");
    if (command.parts().empty()) return deposited(command.amount());
    Decision<Account> decision;
    for (const std::int64_t part : command.parts()) decision.add(deposited(part));
    return decision;
}
inline Decision<Account> decide(const Account& account, const Withdraw& command) {
    if (account.balance < command.amount()) return reject("too_little");
    if (command.amount() == 0) return nothing();
    return deposited(-command.amount());
}
inline Decision<Account> decide(const Account& account, const Close&) {
    if (account.closed) return nothing();
    if (account.balance == 0) return Closed{};
    return events(deposited(-account.balance), Closed{});
}

}  // namespace recount::test
