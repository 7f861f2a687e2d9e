#include <recount/core/error.hpp>

#include "eventstore/contract/snapshot_contract.hpp"
#include "eventstore/postgres/own_schema.hpp"

namespace recount::test {
namespace {

class PostgresPlace final : public StorePlace {
public:
    std::unique_ptr<EventStore> open(const StoreOptions& options) override {
        return open_store(schema_.url(), options);
    }

private:
    OwnSchema schema_;
};

const auto kinds =
    testing::Values(StoreKind{"Postgres", [] { return std::make_unique<PostgresPlace>(); }});

INSTANTIATE_TEST_SUITE_P(Stores, AppendContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, OutcomeContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, LogContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, FilteredLog, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, TimeContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, SharedContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, ModelContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, RetentionContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, ClosedContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, SnapshotContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, ErasureContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, UpkeepContract, kinds, kind_name);
INSTANTIATE_TEST_SUITE_P(Stores, ImportContract, kinds, kind_name);

TEST(AStoreOnPostgresql, IsNotOpenedWithoutDurability) {
    const OwnSchema schema;
    EXPECT_THROW(open_store(schema.url(), {.durable = false}), InvalidArgument);
}

}  // namespace
}  // namespace recount::test
