// expect: this saga has no `static recount::Plan plan(const Event&)` for this starting event
// expect: Welcome
// expect: Opened
#include <recount/saga.hpp>

#include "account.hpp"

using namespace recount::test;

struct Welcome {
    static constexpr std::string_view name = "welcome";
    using StartedBy = recount::Events<Opened>;
    using Command = recount::Events<Deposit>;
    static std::string id_of(const Opened& event) { return event.owner(); }
};

void use(recount::EventStore& store) {
    recount::SagaEngine sagas{store};
    sagas.add<Welcome>();
}
