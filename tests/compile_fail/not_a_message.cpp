// expect: recount::Events lists protobuf messages only
// expect: Event
// expect: Plain
#include "account.hpp"

struct Plain {};

struct Handmade {
    static constexpr std::string_view category = "handmade";
    using Event = recount::Events<Plain>;
};
Handmade evolve(Handmade state, const Plain&) { return state; }

void use(recount::Streams& streams) { recount::Repository<Handmade>{streams}.load("1"); }
