#include <recount/core/error.hpp>

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "eventstore/contract/store_contract.hpp"
#include "kept_account.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class ASqliteStoreInItsFile : public testing::Test {
protected:
    std::unique_ptr<EventStore> open() { return open_store(url_); }

    /// SQL behind the store's back.
    void run(const std::string& sql) {
        const auto database = Database::open(url_);
        auto transaction = database->begin(SqlMode::write);
        transaction->script(sql);
        transaction->commit();
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("store.db");
    std::string url_ = "sqlite:" + path_;
};

TEST_F(ASqliteStoreInItsFile, IsTheSameWhereverTheProgramGoes) {
    const auto home = std::filesystem::current_path();
    const TemporaryFolder elsewhere;
    std::filesystem::current_path(folder_.path());
    const auto store = open_store("sqlite:store.db");
    std::filesystem::current_path(elsewhere.path());
    {
        const auto another = open_store("sqlite:store.db");  // of the same name, over there
        ASSERT_TRUE(another->append(make_append("b", {write("cart-9", Expected::any())})).outcome);
    }
    ASSERT_TRUE(store->append(make_append("a", {write("cart-1", Expected::any())})).outcome);
    EXPECT_THROW(store->read(Partition{0}, 100), Divergence);  // and gives its reader up
    EXPECT_TRUE(store->find_outcome("a"));
    EXPECT_EQ(store->read_stream(StreamName::parse("cart-1")).head, Version{1});
    EXPECT_EQ(store->url(), url_);
    std::filesystem::current_path(home);
}

TEST_F(ASqliteStoreInItsFile, ThatWasReplacedIsNotReadOn) {
    const auto store = open();
    const std::string other = folder_.file("other.db");
    open_store("sqlite:" + other).reset();
    std::filesystem::rename(other, path_);
    EXPECT_THROW(store->read(Partition{0}, 100), Divergence);  // and gives its reader up
    EXPECT_THAT([&] { store->heads(); }, ThrowsMessage<Mismatch>(HasSubstr("was replaced")));
}

TEST_F(ASqliteStoreInItsFile, ThatABackupWasMovedOverIsNotWrittenOn) {
    open().reset();
    const std::string backup = folder_.file("backup.db");
    std::filesystem::copy_file(path_, backup);
    const auto store = open();
    ASSERT_TRUE(store->append(make_append("a", {write("cart-1", Expected::any())})).outcome);
    const Append append = make_append("b", {write("cart-1", Expected::any())});
    const auto refused = ThrowsMessage<Mismatch>(HasSubstr("was replaced or removed"));
    std::filesystem::rename(backup, path_);
    EXPECT_THAT([&] { static_cast<void>(store->append(append)); }, refused);
    std::filesystem::remove(path_);
    EXPECT_THAT([&] { static_cast<void>(store->append(append)); }, refused);
    EXPECT_THAT([&] { store->void_command("c"); }, refused);
    const StreamName cart{"cart", "1"};
    EXPECT_THAT([&] { store->erase(cart, Version{1}, Version{1}); }, refused);
    EXPECT_THAT([&] { store->maintain(); }, refused);
}

/// Somebody without rights, when the tests run as root.
class AsNobody {
public:
    AsNobody() {
        if (root_) {
            EXPECT_EQ(seteuid(65534), 0);
        }
    }
    ~AsNobody() {
        if (root_) {
            EXPECT_EQ(seteuid(0), 0);
        }
    }
    AsNobody(const AsNobody&) = delete;
    AsNobody& operator=(const AsNobody&) = delete;

private:
    bool root_ = geteuid() == 0;
};

TEST_F(ASqliteStoreInItsFile, ThatMayNotBeReadIsNotReplacedByANewOne) {
    namespace fs = std::filesystem;
    const Uuid id = open()->identity().id;
    fs::remove(path_ + ".lock");
    fs::permissions(folder_.path(), fs::perms::all);  // it may be written
    fs::permissions(path_, fs::perms::none);
    {
        const AsNobody as_nobody;
        EXPECT_THAT([&] { open(); }, ThrowsMessage<Unavailable>(HasSubstr("Permission denied")));
        EXPECT_THAT([&] { open_store(url_, {.read_only = true}); },
                    ThrowsMessage<Unavailable>(HasSubstr("left untouched")));
    }
    fs::permissions(path_, fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(open()->identity().id, id);
}

TEST_F(ASqliteStoreInItsFile, IsNotWrittenWithoutItsLock) {
    const auto store = open();
    const auto append = [&](const char* id) {
        static_cast<void>(store->append(make_append(id, {write("cart-1", Expected::any())})));
    };
    append("a");
    std::filesystem::remove(path_ + ".lock");
    const auto refused = ThrowsMessage<Mismatch>(HasSubstr("lock file"));
    EXPECT_THAT([&] { append("b"); }, refused);
    const auto other = open();
    EXPECT_EQ(other->read_stream(StreamName::parse("cart-1")).head, Version{1});
    EXPECT_THAT([&] { append("c"); }, refused);
    EXPECT_THAT([&] { store->void_command("d"); }, refused);
    EXPECT_TRUE(other->append(make_append("e", {write("cart-1", Expected::any())})).outcome);
}

TEST_F(ASqliteStoreInItsFile, BehindALinkThatLeadsNowhereIsNotReplacedByANewOne) {
    namespace fs = std::filesystem;
    const std::string disk = folder_.file("disk"), link = folder_.file("link.db");
    fs::create_directory(disk);
    fs::create_symlink(disk + "/store.db", link);
    fs::create_symlink("nowhere.db", path_);
    EXPECT_THAT([&] { open(); }, ThrowsMessage<Unavailable>(HasSubstr("leads nowhere")));
    const Uuid id = open_store("sqlite:" + disk + "/store.db")->identity().id;
    fs::rename(disk, disk + ".away");
    for (const bool read_only : {false, true}) {
        EXPECT_THAT([&] { open_store("sqlite:" + link, {.read_only = read_only}); },
                    ThrowsMessage<Unavailable>(HasSubstr("leads nowhere")));
    }
    EXPECT_TRUE(fs::is_symlink(link));
    fs::rename(disk + ".away", disk);
    EXPECT_EQ(open_store("sqlite:" + link)->identity().id, id);
}

TEST_F(ASqliteStoreInItsFile, IsNotMadeInPlaceOfADevice) {
    ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
    EXPECT_THAT([&] { open(); }, ThrowsMessage<Mismatch>(HasSubstr("no regular file")));
    EXPECT_TRUE(std::filesystem::is_fifo(path_));
}

TEST_F(ASqliteStoreInItsFile, HasOneWriterByWhateverLinkItIsNamed) {
    const auto store = open();
    const std::string link = folder_.file("link.db");
    std::filesystem::create_symlink(path_, link);
    EXPECT_THAT([&] { open_store("sqlite:" + link); },
                ThrowsMessage<Unavailable>(HasSubstr("is being written by process")));
}

TEST_F(ASqliteStoreInItsFile, HasOneName) {
    static_cast<void>(open());
    const std::string link = folder_.file("link.db");
    std::filesystem::create_hard_link(path_, link);
    for (const auto& name : {path_, link}) {
        for (const bool read_only : {false, true}) {
            EXPECT_THAT([&] { open_store("sqlite:" + name, {.read_only = read_only}); },
                        ThrowsMessage<Mismatch>(HasSubstr("2 names")));
        }
    }
    std::filesystem::remove(link);
    EXPECT_NO_THROW(open());
}

TEST_F(ASqliteStoreInItsFile, ThatWasPutBackToAnEarlierStateTakesNothing) {
    const auto store = open();
    ASSERT_TRUE(store->append(make_append("a", {write("cart-1", Expected::any(), 2)})).outcome);
    ASSERT_TRUE(store->append(make_append("b", {write("cart-1", Expected::any(), 2)})).outcome);
    run("delete from event where version > 2; delete from outcome where command_id = 'b';"
        "update partition set position = e.position, hash = e.hash from event e"
        " where e.version = 2 and partition.partition = e.partition");
    for (int i = 0; i < 2; ++i) {
        const Append append = make_append("c", {write("cart-1", Expected::any())});
        EXPECT_THAT([&] { static_cast<void>(store->append(append)); },
                    ThrowsMessage<Divergence>(HasSubstr("put back to an earlier state")));
    }
}

/// The states that wait for the next append are lost when the program is killed.
TEST_F(ASqliteStoreInItsFile, ThatWasTruncatedKeepsTheSnapshotThatReachesBeyond) {
    const TemporaryFolder killed;
    {
        const auto store = open();
        Repository<Saved> accounts{*store, {.snapshots = 1}};
        for (int i = 0; i < 5; ++i) ASSERT_TRUE(accounts.handle("1", deposit(100)));
        store->truncate(StreamName{"account", "1"}, Version{5});
        std::filesystem::copy(folder_.path(), killed.path());
    }
    const auto store = open_store("sqlite:" + killed.file("store.db"));
    Repository<Saved> accounts{*store, {.snapshots = 1}};
    EXPECT_EQ(accounts.load("1").state.balance, 500);
}

}  // namespace
}  // namespace recount::test
