// expect: an older type has no `upcast(const Message&)`, in the namespace of the Message
// expect: Lost
#include "history.hpp"

namespace recount::test {
Lost upcast(const Ping&);
}  // namespace recount::test

using namespace recount::test;

struct Stranded {
    static constexpr std::string_view category = "stranded";
    using Event = recount::Events<Closed>;
    using Older = recount::Older<Ping>;
};
Stranded evolve(Stranded state, const Closed&) { return state; }

void use(recount::Streams& streams) { recount::Repository<Stranded> repository{streams}; }
