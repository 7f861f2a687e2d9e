// expect: for this command in the namespace of the State
// expect: Lost
// expect: Open
#include "account.hpp"

using recount::test::Open;
using recount::test::Opened;

namespace shop {
struct Lost {
    static constexpr std::string_view category = "lost";
    using Event = recount::Events<Opened>;
};
Lost evolve(Lost state, const Opened&) { return state; }
}  // namespace shop

recount::Decision<shop::Lost> decide(const shop::Lost&, const Open&) { return Opened{}; }

void use(recount::Streams& streams) {
    recount::Repository<shop::Lost> repository{streams};
    static_cast<void>(repository.handle("1", Open{}));
}
