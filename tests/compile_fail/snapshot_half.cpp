// expect: this State has a to_snapshot(const State&), but no
// expect: in the namespace of the Message
// expect: HalfKept
#include "account.hpp"

using namespace recount::test;

struct HalfKept {
    static constexpr std::string_view category = "half";
    using Event = recount::Events<Closed>;
};
HalfKept evolve(HalfKept state, const Closed&) { return state; }
Opened to_snapshot(const HalfKept&) { return {}; }

void use(recount::Streams& streams) { recount::Repository<HalfKept> repository{streams}; }
