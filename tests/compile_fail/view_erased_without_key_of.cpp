// expect: this View has an evolve for recount::Erased, and a key_of or keys_of, but none
// expect: Balance
#include "view.hpp"

using namespace recount::test;

struct Balance {
    static constexpr std::string_view name = "balance";
    static constexpr int version = 1;
    using Row = Opened;
    using Event = recount::Events<Opened>;
    static void evolve(Opened&, const Opened&, const recount::Recorded&) {}
    static void evolve(Opened&, const recount::Erased&, const recount::Recorded&) {}
    static std::string key_of(const Opened&, const recount::Recorded&) { return "one"; }
};

void use(recount::EventStore& store) { recount::Projector<Balance> projector{store}; }
