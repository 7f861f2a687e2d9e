// expect: the category of this State is one of recount's own
// expect: Alarmed
#include "account.hpp"

using namespace recount::test;

struct Alarmed {
    static constexpr std::string_view category = "sagaalarm";
    using Event = recount::Events<Opened>;
};
Alarmed evolve(Alarmed state, const Opened&) { return state; }
recount::Decision<Alarmed> decide(const Alarmed&, const Open&) { return Opened{}; }

void use(recount::Streams& streams) {
    recount::Repository<Alarmed> repository{streams};
    static_cast<void>(repository.handle("1", Open{}));
}
