// expect: this State has no `State evolve(State, const Event&)` for this event
// expect: Mutating
// expect: Closed
#include "account.hpp"

using namespace recount::test;

struct Mutating {
    static constexpr std::string_view category = "mutating";
    using Event = recount::Events<Closed>;
    bool closed = false;
};
void evolve(Mutating& state, const Closed&) { state.closed = true; }

void use(recount::Streams& streams) { recount::Repository<Mutating>{streams}.load("1"); }
