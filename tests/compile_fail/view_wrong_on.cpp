// expect: this View has no `static void on(const Event&, const recount::Recorded&,
// expect: InSql
// expect: Closed
#include "view.hpp"

using namespace recount::test;

struct InSql {
    static constexpr std::string_view name = "in_sql";
    static constexpr int version = 1;
    using Event = recount::Events<Closed>;
    static void create(recount::Sql&) {}
    static void on(const Closed&, recount::Sql&, const recount::Recorded&) {}
};

void use(recount::EventStore& store) { recount::View<InSql> view{store}; }
