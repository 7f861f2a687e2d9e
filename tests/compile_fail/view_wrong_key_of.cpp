// expect: this View's key_of is not `static std::string key_of(const Event&, const
// expect: Balance
// expect: Closed
#include "view.hpp"

using namespace recount::test;

struct Balance {
    static constexpr std::string_view name = "balance";
    static constexpr int version = 1;
    using Row = Opened;
    using Event = recount::Events<Opened, Closed>;
    template <class E>
    static void evolve(Opened&, const E&, const recount::Recorded&) {}
    static std::string key_of(const Opened&, const recount::Recorded&) { return "one"; }
};

void use(recount::EventStore& store) { recount::Projector<Balance> projector{store}; }
