// compiles
// What the other files get wrong, right: it shows that they fail for their own reason only.
#include "account.hpp"

#include <recount/testing.hpp>

using namespace recount::test;

void use(recount::Streams& streams) {
    recount::Repository<Account> repository{streams};
    recount::Batch batch{streams};
    static_cast<void>(repository.handle("1", Close{}));
    repository.enqueue(batch, "1", deposit(1));
    repository.load("1");
}

TEST(Given, Listed) { given<Account>(opened("ada")).when(Close{}).then(Closed{}); }
