// expect: this State has no `recount::Decision<State> decide(const State&, const Command&)`
// expect: Account
// expect: Burn
#include <recount/saga.hpp>

#include "account.hpp"

using namespace recount::test;

void use(recount::SagaEngine& sagas, recount::Repository<Account>& accounts) {
    sagas.deliver<Burn>(accounts, [](const Burn&) { return "1"; });
}
