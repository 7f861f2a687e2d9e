#include "eventstore/contract/recompute_chain.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

class InSqlite {
public:
    [[nodiscard]] std::string url() const { return "sqlite:" + named(); }
    [[nodiscard]] std::string named() const { return folder_.file("store.db"); }

private:
    TemporaryFolder folder_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(InSqlite, AStoreCheckedFromOutside, InSqlite);

}  // namespace
}  // namespace recount::test
