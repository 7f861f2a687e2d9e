#include "places.hpp"
#include "support/servers.hpp"

namespace recount::test {

std::string new_place(const TemporaryFolder& /*folder*/) { return postgres_url_with_own_schema(); }

}  // namespace recount::test
