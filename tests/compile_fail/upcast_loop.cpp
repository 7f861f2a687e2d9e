// expect: this chain of upcasts comes back to where it was
// expect: Ping
#include "history.hpp"

namespace recount::test {
Pong upcast(const Ping&);
Ping upcast(const Pong&);
}  // namespace recount::test

using namespace recount::test;

struct Dizzy {
    static constexpr std::string_view category = "dizzy";
    using Event = recount::Events<Closed>;
    using Older = recount::Older<Ping>;
};
Dizzy evolve(Dizzy state, const Closed&) { return state; }

void use(recount::Streams& streams) { recount::Repository<Dizzy> repository{streams}; }
