// expect: this State has no `State evolve(State, const Event&)` for this event
// expect: Forgetful
// expect: Closed
#include "account.hpp"

using namespace recount::test;

struct Forgetful {
    static constexpr std::string_view category = "forgetful";
    using Event = recount::Events<Opened, Closed>;
};
Forgetful evolve(Forgetful state, const Opened&) { return state; }
recount::Decision<Forgetful> decide(const Forgetful&, const Close&) { return Closed{}; }

void use(recount::Streams& streams) {
    recount::Repository<Forgetful> repository{streams};
    static_cast<void>(repository.handle("1", Close{}));
}
