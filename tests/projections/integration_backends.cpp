#include "world.hpp"

std::vector<std::string> recount::test::projections::backends() { return {"postgresql"}; }
