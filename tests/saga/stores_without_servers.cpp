#include "on_a_store.hpp"

namespace recount::saga_test {

INSTANTIATE_TEST_SUITE_P(Engine, OnAStore, testing::Values("memory", "sqlite"),
                         [](const auto& kind) { return std::string{kind.param}; });

}  // namespace recount::saga_test
