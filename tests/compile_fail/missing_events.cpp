// expect: this State has no `using Event = recount::Events<...>`
// expect: Eventless
#include "account.hpp"

using namespace recount::test;

struct Eventless {
    static constexpr std::string_view category = "eventless";
};
Eventless evolve(Eventless state, const Opened&) { return state; }
recount::Decision<Eventless> decide(const Eventless&, const Open&) { return recount::nothing(); }

void use(recount::Streams& streams) {
    recount::Repository<Eventless> repository{streams};
    static_cast<void>(repository.handle("1", Open{}));
}
