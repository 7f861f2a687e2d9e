#pragma once

#include "account.hpp"
#include "kept.pb.h"

namespace recount::test {

/// An account whose states can be kept.
struct Saved {
    static constexpr std::string_view category = "account";
    static constexpr int fold = 2;
    using Event = Events<Deposited>;

    std::int64_t balance = 0;
    std::int64_t deposits = 0;
};

inline Saved evolve(Saved account, const Deposited& event) {
    account.balance += event.amount();
    ++account.deposits;
    return account;
}
inline Decision<Saved> decide(const Saved&, const Deposit& command) {
    return deposited(command.amount());
}
inline KeptAccount to_snapshot(const Saved& account) {
    KeptAccount kept;
    kept.set_balance(account.balance);
    kept.set_deposits(account.deposits);
    return kept;
}
inline Saved from_snapshot(const KeptAccount& kept) { return {kept.balance(), kept.deposits()}; }

}  // namespace recount::test
