// compiles
#include "history.hpp"

using namespace recount::test;

void use(recount::Streams& streams) {
    recount::Repository<OldAccount> repository{streams};
    static_cast<void>(repository.handle("1", deposit(1)));
}
