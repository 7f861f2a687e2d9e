// expect: a saga has `using Command = recount::Events<...>`
// expect: Welcome
#include <recount/saga.hpp>

#include "account.hpp"

using namespace recount::test;

struct Welcome {
    static constexpr std::string_view name = "welcome";
    using StartedBy = recount::Events<Opened>;
    static std::string id_of(const Opened& event) { return event.owner(); }
    static recount::Plan plan(const Opened&) { return {}; }
};

void use(recount::EventStore& store) {
    recount::SagaEngine sagas{store};
    sagas.add<Welcome>();
}
