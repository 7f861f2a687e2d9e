// expect: given() lists an event that State::Event does not list
// expect: Account
// expect: Nested
#include "account.hpp"

#include <recount/testing.hpp>

TEST(Given, Unlisted) {
    recount::test::given<recount::test::Account>(recount::test::Nested{})
        .when(recount::test::Close{})
        .then_nothing();
}
