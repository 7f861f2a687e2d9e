#pragma once

#include <concepts>
#include <string>

#include "account.hpp"
#include "upcast.pb.h"

namespace recount::test {

inline DepositedV2 upcast(const DepositedV1& old) {
    DepositedV2 next;
    next.set_cents(std::to_string(old.euros() * 100));
    return next;
}
inline Deposited upcast(const DepositedV2& old) { return deposited(std::stoll(old.cents())); }

/// An account that can read what its earlier versions recorded.
struct OldAccount {
    static constexpr std::string_view category = "account";
    using Event = Events<Opened, Deposited, Closed>;
    using Older = recount::Older<DepositedV1, DepositedV2, Renamed<"bank.Ended", Closed>>;

    Account account;
    int events = 0;
};
template <std::derived_from<google::protobuf::Message> E>
OldAccount evolve(OldAccount old, const E& event) {
    old.account = evolve(std::move(old.account), event);
    ++old.events;
    return old;
}
inline Decision<OldAccount> decide(const OldAccount&, const Deposit& command) {
    return deposited(command.amount());
}

}  // namespace recount::test
