#include "eventstore/contract/snapshot_contract.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

class MemoryPlace final : public StorePlace {
public:
    std::unique_ptr<EventStore> open(const StoreOptions& options) override {
        return open_store("memory:", options);
    }
    [[nodiscard]] bool lasts() const override { return false; }
};

class SqlitePlace final : public StorePlace {
public:
    std::unique_ptr<EventStore> open(const StoreOptions& options) override {
        return open_store("sqlite:" + folder_.file("store.db"), options);
    }

private:
    TemporaryFolder folder_;
};

const auto kinds =
    testing::Values(StoreKind{"Memory", [] { return std::make_unique<MemoryPlace>(); }},
                    StoreKind{"Sqlite", [] { return std::make_unique<SqlitePlace>(); }});

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

}  // namespace
}  // namespace recount::test
