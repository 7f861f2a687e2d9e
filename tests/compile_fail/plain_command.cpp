// expect: a command is a protobuf message
// expect: Account
// expect: Shout
#include "account.hpp"

struct Shout {};
namespace recount::test {
Decision<Account> decide(const Account&, const Shout&) { return nothing(); }
}  // namespace recount::test

void use(recount::Streams& streams) {
    static_cast<void>(recount::Repository<recount::test::Account>{streams}.handle("1", Shout{}));
}
