// expect: the category of this State is no beginning of a stream's name
// expect: Broken
#include "account.hpp"

using namespace recount::test;

struct Broken {
    static constexpr std::string_view category = "line\n";
    using Event = recount::Events<Opened>;
};
Broken evolve(Broken state, const Opened&) { return state; }
recount::Decision<Broken> decide(const Broken&, const Open&) { return Opened{}; }

void use(recount::Streams& streams) {
    recount::Repository<Broken> repository{streams};
    static_cast<void>(repository.handle("1", Open{}));
}
