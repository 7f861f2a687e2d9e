// expect: this State has no `static constexpr std::string_view category
// expect: Nameless
#include "account.hpp"

using namespace recount::test;

struct Nameless {
    using Event = recount::Events<Opened>;
};
Nameless evolve(Nameless state, const Opened&) { return state; }
recount::Decision<Nameless> decide(const Nameless&, const Open&) { return Opened{}; }

void use(recount::Streams& streams) {
    recount::Repository<Nameless> repository{streams};
    static_cast<void>(repository.handle("1", Open{}));
}
