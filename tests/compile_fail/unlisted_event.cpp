// expect: decide returned an event that State::Event does not list
// expect: Short
// expect: Deposited
#include "account.hpp"

using namespace recount::test;

struct Short {
    static constexpr std::string_view category = "short";
    using Event = recount::Events<Opened>;
};
Short evolve(Short state, const Opened&) { return state; }
recount::Decision<Short> decide(const Short&, const Deposit&) { return deposited(1); }

void use(recount::Streams& streams) {
    recount::Repository<Short> repository{streams};
    static_cast<void>(repository.handle("1", deposit(1)));
}
