// compiles
#include "view.hpp"

using namespace recount::test;

struct Balance {
    static constexpr std::string_view name = "balance";
    static constexpr int version = 1;
    using Row = Opened;
    using Event = recount::Events<Opened, Closed>;
    static void evolve(Opened&, const Opened&, const recount::Recorded&) {}
    static recount::Row evolve(Opened&, const Closed&, const recount::Recorded&, std::string_view) {
        return recount::Row::remove;
    }
    template <class E>
    static std::string key_of(const E&, const recount::Recorded&) {
        return "one";
    }
};
struct InSql {
    static constexpr std::string_view name = "in_sql";
    static constexpr int version = 1;
    using Event = recount::Events<Closed>;
    static void create(recount::Sql&) {}
    static void on(const Closed&, const recount::Recorded&, recount::Sql&) {}
};

void use(recount::EventStore& store) {
    recount::Projector<Balance, InSql>{store}.catch_up();
    recount::View<Balance>{store}.get("1");
    recount::View<InSql>{store}.query(recount::eventual(), "select 1", 2, "three");
}
