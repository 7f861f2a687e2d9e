// expect: this View has no `static void evolve(Row&, const Event&, const recount::Recorded&)`
// expect: Balance
// expect: Closed
#include "view.hpp"

using namespace recount::test;

struct Balance {
    static constexpr std::string_view name = "balance";
    static constexpr int version = 1;
    using Row = Opened;
    using Event = recount::Events<Opened, Closed>;
    static void evolve(Opened&, const Opened&, const recount::Recorded&) {}
};

void use(recount::EventStore& store) { recount::Projector<Balance> projector{store}; }
