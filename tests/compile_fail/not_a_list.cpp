// expect: this State's Event is not a recount::Events<...>
// expect: Lonely
#include "account.hpp"

using namespace recount::test;

struct Lonely {
    static constexpr std::string_view category = "lonely";
    using Event = Opened;
};
Lonely evolve(Lonely state, const Opened&) { return state; }

void use(recount::Streams& streams) { recount::Repository<Lonely>{streams}.load("1"); }
