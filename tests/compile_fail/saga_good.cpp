// compiles
#include <recount/saga.hpp>

#include "account.hpp"

using namespace recount::test;

struct Welcome {
    static constexpr std::string_view name = "welcome";
    using StartedBy = recount::Events<Opened>;
    using Command = recount::Events<Deposit>;
    static std::string id_of(const Opened& event) { return event.owner(); }
    static recount::Plan plan(const Opened&) {
        recount::Plan plan;
        plan.step("present", deposit(1));
        return plan;
    }
};

void use(recount::EventStore& store, recount::Repository<Account>& accounts) {
    recount::SagaEngine sagas{store};
    sagas.add<Welcome>();
    sagas.add<Welcome>({.from_beginning = true});
    sagas.deliver<Deposit>(accounts, [](const Deposit&) { return "1"; });
}
