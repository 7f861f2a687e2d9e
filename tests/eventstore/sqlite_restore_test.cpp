#include <recount/core/error.hpp>

#include <filesystem>

#include "eventstore/contract/store_contract.hpp"
#include "eventstore/stored_duration.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class ASqliteBackup : public testing::Test {
protected:
    StorePositions append(const std::string& id, std::size_t events) {
        const auto result =
            open_store(url_)->append(make_append(id, {write("cart-1", Expected::any(), events)}));
        return result.outcome.value().reached;
    }
    void copy(const std::string& from, const std::string& to) {
        std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("store.db");
    std::string url_ = "sqlite:" + path_;
};

TEST_F(ASqliteBackup, BesideTheLogOfTheFileBeforeIsNotDeclaredButCalledDamaged) {
    append("a", 3);
    copy(path_, path_ + ".backup");
    for (int number = 0; number < 20; ++number) append("b" + std::to_string(number), 50);
    {
        const auto store = open_store(url_);
        static_cast<void>(store->append(make_append("c", {write("cart-2", Expected::any(), 3)})));
        copy(path_ + "-wal", path_ + ".log");  // as a crash leaves it
    }
    std::filesystem::remove(path_);
    copy(path_ + ".backup", path_);
    copy(path_ + ".log", path_ + "-wal");
    EXPECT_THAT([&] { declare_restored(url_); }, ThrowsMessage<Mismatch>(HasSubstr("FILE-wal")));
}

TEST_F(ASqliteBackup, CopiedBackAndDeclaredGoesOnInANewIncarnation) {
    const StorePositions kept = append("a", 3);
    copy(path_, path_ + ".backup");
    const StorePositions lost = append("b", 2);
    copy(path_ + ".backup", path_);
    const Incarnation declared = declare_restored(url_);

    const auto store = open_store(url_);
    EXPECT_EQ(store->identity().incarnation, declared.id);
    ASSERT_EQ(store->incarnations().size(), 2U);
    EXPECT_EQ(store->incarnations()[1].parent, store->incarnations()[0].id);
    store->verify_chain();  // also before anything is behind the fork
    const auto after = store->append(make_append("c", {write("cart-1", Expected::exactly({3}), 2),
                                                       write("stock-1", Expected::no_stream())}));
    ASSERT_EQ(after.kind, AppendResult::Kind::committed);
    store->verify_chain();
    const ReadLog orders{.filter = {.categories = {"order"}}, .max_scanned = 1};
    for (std::int64_t n = 0; n < 5; ++n) {
        EXPECT_EQ(store->read(partition_of("cart-1", 16), n, orders).upto, n + 1);
    }
    EXPECT_EQ(after.outcome->reached.incarnation, declared.id);
    EXPECT_TRUE(still_holds(kept, store->incarnations()));
    EXPECT_FALSE(still_holds(lost, store->incarnations()));
    EXPECT_TRUE(still_holds(after.outcome->reached, store->incarnations()));
}

TEST_F(ASqliteBackup, MayBeDeclaredTwiceAtOnePlace) {
    append("a", 3);
    declare_restored(url_);
    const Incarnation second = declare_restored(url_);
    append("b", 1);
    const auto store = open_store(url_);
    EXPECT_EQ(store->identity().incarnation, second.id);
    ASSERT_EQ(store->incarnations().size(), 3U);
    store->verify_chain();
}

TEST_F(ASqliteBackup, IsAnotherHistoryToWhoHadItOpenToRead) {
    append("a", 3);
    const auto reader = open_store(url_, {.read_only = true});
    declare_restored(url_);
    append("b", 1);
    const Partition partition = partition_of("cart-1", 16);
    EXPECT_THAT([&] { reader->read(partition, 2); },
                ThrowsMessage<Divergence>(HasSubstr("declared restored since; open it again")));
}

TEST_F(ASqliteBackup, IsNotDeclaredWhileAStoreIsOpenOrThereIsNone) {
    EXPECT_THROW(declare_restored(url_), Mismatch);
    EXPECT_FALSE(std::filesystem::exists(path_));
    const auto store = open_store(url_);
    EXPECT_THROW(declare_restored(url_), Unavailable);
    EXPECT_THROW(declare_restored("memory:"), InvalidArgument);
}

TEST(ASqliteStoreWithEventsOfAnEarlierRevision, RecordsAChangeThatReadsThem) {
    const TemporaryFolder folder;
    expect_evolution_checked("sqlite:" + folder.file("store.db"));
}

TEST(ASqliteStoreWithEventsOfAnEarlierRevision, RefusesAChangeThatWouldMisreadThem) {
    const TemporaryFolder folder;
    expect_misreading_refused("sqlite:" + folder.file("store.db"));
}

}  // namespace
}  // namespace recount::test
