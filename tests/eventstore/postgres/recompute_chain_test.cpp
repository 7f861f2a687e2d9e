#include "eventstore/contract/recompute_chain.hpp"
#include "own_schema.hpp"

namespace recount::test {
namespace {

struct InPostgres : OwnSchema {
    [[nodiscard]] std::string named() const { return url(); }
};

INSTANTIATE_TYPED_TEST_SUITE_P(InPostgres, AStoreCheckedFromOutside, InPostgres);

}  // namespace
}  // namespace recount::test
