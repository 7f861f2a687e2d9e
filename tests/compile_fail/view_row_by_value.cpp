// expect: takes the row by reference
// expect: Balance
// expect: Closed
#include "view.hpp"

using namespace recount::test;

struct Balance {
    static constexpr std::string_view name = "balance";
    static constexpr int version = 1;
    using Row = Opened;
    using Event = recount::Events<Closed>;
    static void evolve(Opened row, const Closed&, const recount::Recorded&) { row.Clear(); }
};

void use(recount::EventStore& store) { recount::Projector<Balance> projector{store}; }
