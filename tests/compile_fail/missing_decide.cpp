// expect: this State has no `recount::Decision<State> decide(const State&, const Command&)`
// expect: Account
// expect: Burn
#include "account.hpp"

using namespace recount::test;

void use(recount::Streams& streams) {
    recount::Repository<Account> repository{streams};
    static_cast<void>(repository.handle("1", Burn{}));
}
