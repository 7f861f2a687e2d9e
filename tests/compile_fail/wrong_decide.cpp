// expect: this State has no `recount::Decision<State> decide(const State&, const Command&)`
// expect: Stubborn
// expect: Close
#include "account.hpp"

using namespace recount::test;

struct Stubborn {
    static constexpr std::string_view category = "stubborn";
    using Event = recount::Events<Closed>;
};
Stubborn evolve(Stubborn state, const Closed&) { return state; }
bool decide(const Stubborn&, const Close&) { return false; }

void use(recount::Streams& streams) {
    recount::Repository<Stubborn> repository{streams};
    recount::Batch batch{streams};
    repository.enqueue(batch, "1", Close{});
}
