// expect: the category of this State is no beginning of a stream's name
// expect: Dashing
#include "account.hpp"

using namespace recount::test;

struct Dashing {
    static constexpr std::string_view category = "a-b";
    using Event = recount::Events<Opened>;
};
Dashing evolve(Dashing state, const Opened&) { return state; }
recount::Decision<Dashing> decide(const Dashing&, const Open&) { return Opened{}; }

void use(recount::Streams& streams) {
    recount::Repository<Dashing> repository{streams};
    static_cast<void>(repository.handle("1", Open{}));
}
