#include "on_a_store.hpp"

namespace recount::saga_test {

std::vector<const char*> kinds_of_stores() { return {"postgres"}; }

}  // namespace recount::saga_test
