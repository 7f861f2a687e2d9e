#include "places.hpp"

namespace recount::test {

std::string new_place(const TemporaryFolder& folder) { return "sqlite:" + folder.file("store.db"); }

}  // namespace recount::test
