// compiles
// A category need not be constexpr: then the first stream's name is looked at.
#include "account.hpp"

using namespace recount::test;

struct Named {
    static const std::string category;
    using Event = recount::Events<Opened>;
};
const std::string Named::category = "named";
Named evolve(Named state, const Opened&) { return state; }
recount::Decision<Named> decide(const Named&, const Open&) { return Opened{}; }

void use(recount::Streams& streams) {
    recount::Repository<Named> repository{streams};
    static_cast<void>(repository.handle("1", Open{}));
}
