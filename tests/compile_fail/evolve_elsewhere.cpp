// expect: for this event in the namespace of the State
// expect: Lost
// expect: Opened
#include "account.hpp"

using recount::test::Open;
using recount::test::Opened;

namespace shop {
struct Lost {
    static constexpr std::string_view category = "lost";
    using Event = recount::Events<Opened>;
};
recount::Decision<Lost> decide(const Lost&, const Open&) { return Opened{}; }
}  // namespace shop

shop::Lost evolve(shop::Lost state, const Opened&) { return state; }

void use(recount::Streams& streams) {
    recount::Repository<shop::Lost> repository{streams};
    static_cast<void>(repository.handle("1", Open{}));
}
