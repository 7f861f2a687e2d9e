#include <recount/core/error.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "eventstore/contract/store_contract.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

std::string bytes_of(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

class ASqliteFile : public testing::Test {
protected:
    std::unique_ptr<EventStore> open(const StoreOptions& options = {}) {
        return open_store(url_, options);
    }

    /// SQL on the closed file, behind the store's back.
    void run(const std::string& sql) {
        const auto database = Database::open(url_);
        auto transaction = database->begin(SqlMode::write);
        transaction->script(sql);
        transaction->commit();
    }

    void make_store() {
        static_cast<void>(open()->append(make_append("a", {write("cart-1", Expected::any(), 2)})));
    }

    /// Opening throws `E` and leaves the file as it was, and nothing beside it.
    template <class E>
    void refuses_untouched(const StoreOptions& options, const std::string& says) {
        const std::string before = bytes_of(path_);
        std::filesystem::remove(path_ + ".lock");
        EXPECT_THAT([&] { open(options); },
                    ThrowsMessage<E>(AllOf(HasSubstr(says), HasSubstr("store.db"))));
        EXPECT_EQ(bytes_of(path_), before);
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("store.db");
    std::string url_ = "sqlite:" + path_;
};

TEST_F(ASqliteFile, OfAnotherKindIsLeftUntouched) {
    std::ofstream{path_} << "dear diary";
    refuses_untouched<Mismatch>({}, "not a SQLite file");
    std::ofstream{path_} << std::string(5000, 'x');
    refuses_untouched<Mismatch>({}, "not a SQLite file");
    EXPECT_FALSE(std::filesystem::exists(path_ + ".lock"));
}

TEST_F(ASqliteFile, OfAnotherProgramIsLeftUntouched) {
    run("create table event (a); insert into event values (1); pragma application_id = 7");
    refuses_untouched<Mismatch>({}, "another program");
    refuses_untouched<Mismatch>({.read_only = true}, "another program");
    EXPECT_FALSE(std::filesystem::exists(path_ + ".lock"));
}

TEST_F(ASqliteFile, OfANewerVersionIsLeftUntouched) {
    make_store();
    run("pragma user_version = 99");
    refuses_untouched<Mismatch>({}, "schema version 99");
}

TEST_F(ASqliteFile, WithOtherPartitionsIsLeftUntouched) {
    make_store();
    refuses_untouched<Mismatch>({.partitions = 4}, "16 partitions, not 4");
}

TEST_F(ASqliteFile, IsNotMadeUnlessAllowed) {
    EXPECT_THROW(open({.create = false}), Mismatch);
    EXPECT_THROW(open({.read_only = true}), Mismatch);
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(ASqliteFile, IsMadeInPlaceOfAnEmptyOneOrAfterACrash) {
    std::ofstream{path_};
    std::ofstream{path_ + ".recount-unfinished"} << "half";
    std::ofstream{path_ + ".new"} << "a backup about to be moved here";
    make_store();
    EXPECT_EQ(bytes_of(path_ + ".new"), "a backup about to be moved here");
    EXPECT_EQ(open()->read_stream(stream("cart-1")).head, Version{2});
    EXPECT_FALSE(std::filesystem::exists(path_ + ".recount-unfinished"));
}

TEST_F(ASqliteFile, ThatCannotBeMadeIsUnavailable) {
    std::filesystem::create_directories(path_ + ".recount-unfinished/in the way");
    EXPECT_THAT([&] { open(); }, ThrowsMessage<Unavailable>(HasSubstr("cannot be made")));
}

TEST_F(ASqliteFile, NeedsItsFolder) {
    EXPECT_THAT([&] { open_store("sqlite:" + folder_.file("no/store.db")); },
                ThrowsMessage<InvalidArgument>(HasSubstr("no folder")));
    EXPECT_THROW(open_store("sqlite:" + folder_.path().string()), InvalidArgument);
    EXPECT_THROW(open_store("sqlite:"), InvalidArgument);
    EXPECT_THROW(open_store("sqlite::memory:"), InvalidArgument);
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(ASqliteFile, IsFoundByARelativePath) {
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path());
    static_cast<void>(open_store("sqlite:store.db")->append(make_append("a", {write("cart-1")})));
    std::filesystem::current_path(before);
    EXPECT_EQ(open()->read_stream(stream("cart-1")).head, Version{1});
}

TEST_F(ASqliteFile, IsDurableAndMarked) {
    make_store();
    const auto database = Database::open(url_, {.read_only = true});
    const auto sql = database->begin(SqlMode::snapshot);
    EXPECT_EQ(sql->query("pragma journal_mode").text(0, 0), "wal");
    EXPECT_EQ(sql->query("pragma application_id").integer(0, 0), 0x52434e54);
    EXPECT_GE(sql->query("pragma user_version").integer(0, 0), 2);
    EXPECT_EQ(sql->query("pragma integrity_check").text(0, 0), "ok");
}

TEST(AStoreUrl, OfAnUnknownKindIsRefusedWithoutItsSecrets) {
    EXPECT_THAT(
        [] { open_store("mysql://user:secret@host/db"); },
        ThrowsMessage<InvalidArgument>(AllOf(HasSubstr("mysql:"), Not(HasSubstr("secret")))));
    EXPECT_THROW(open_store(""), InvalidArgument);
    EXPECT_THROW(open_store("shop.db"), InvalidArgument);
    EXPECT_THROW(open_store("memory:x"), InvalidArgument);
    EXPECT_THROW(open_store("memory:", {.partitions = 0}), InvalidArgument);
    EXPECT_THROW(open_store("memory:", {.partitions = 5000}), InvalidArgument);
}

class ASqliteStoreThatIsOpen : public ASqliteFile {
protected:
    std::unique_ptr<EventStore> store_ = open();
};

TEST_F(ASqliteStoreThatIsOpen, HasOneWriterAtATime) {
    EXPECT_THAT([&] { open(); }, ThrowsMessage<Unavailable>(AllOf(
                                     HasSubstr(std::to_string(getpid())), HasSubstr("read_only"))));
    static_cast<void>(store_->append(make_append("a", {write("cart-1")})));
    store_.reset();
    EXPECT_EQ(open()->read_stream(stream("cart-1")).head, Version{1});
}

TEST_F(ASqliteStoreThatIsOpen, HasOneWritingProcessAtATime) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        try {
            open_store(url_);
        } catch (const Unavailable& error) {
            const bool named =
                std::string{error.what()}.find(std::to_string(getppid())) != std::string::npos;
            _exit(named ? 0 : 2);
        } catch (...) {
            _exit(3);
        }
        _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST_F(ASqliteStoreThatIsOpen, CanBeReadByAnother) {
    static_cast<void>(store_->append(make_append("a", {write("cart-1", Expected::any(), 2)})));
    const auto reader = open({.read_only = true});
    EXPECT_EQ(reader->read_stream(stream("cart-1")).head, Version{2});
    EXPECT_EQ(reader->heads(), store_->heads());
    static_cast<void>(store_->append(make_append("b", {write("cart-1")})));
    EXPECT_EQ(reader->read_stream(stream("cart-1")).head, Version{3});
    EXPECT_TRUE(reader->find_outcome("b"));
    EXPECT_EQ(reader->verify_chain(), store_->heads());
}

TEST_F(ASqliteStoreThatIsOpen, IsNotWrittenByAReader) {
    const auto reader = open({.read_only = true});
    EXPECT_THROW(static_cast<void>(reader->append(make_append("a", {write("cart-1")}))),
                 InvalidArgument);
    EXPECT_THROW(reader->void_command("a"), InvalidArgument);
    EXPECT_FALSE(store_->find_outcome("a"));
}

TEST_F(ASqliteStoreThatIsOpen, WakesAReaderWhoWaits) {
    const auto reader = open({.read_only = true});
    EXPECT_FALSE(reader->wait({}, 1ms));
    std::jthread writer{
        [&] { static_cast<void>(store_->append(make_append("a", {write("cart-1")}))); }};
    EXPECT_TRUE(reader->wait({}, 60s));
    std::stop_source stop;
    std::jthread stopper{[&] { stop.request_stop(); }};
    Positions all;
    all.raise({partition_of("cart-1", 16), 1});
    EXPECT_FALSE(reader->wait(all, 60s, stop.get_token()));
}

TEST_F(ASqliteStoreThatIsOpen, DoesNotTrustWhatItRemembersWhenOthersWrote) {
    static_cast<void>(store_->append(make_append("a", {write("stock-1")})));
    static_cast<void>(store_->append(
        make_append("b", {write("cart-1")}, {check("stock-1", Expected::exactly({1}))})));
    run("insert into event (partition, position, stream, version, schema, envelope, hash) "
        "select partition, position + 100, stream, 2, schema, envelope, hash from event "
        "where stream = (select id from stream where name = 'stock-1')");
    const AppendResult result = store_->append(
        make_append("c", {write("cart-1")}, {check("stock-1", Expected::exactly({1}))}));
    ASSERT_EQ(result.kind, AppendResult::Kind::conflict);
    EXPECT_EQ(result.conflict.failed.at(0).actual, Version{2});
}

TEST_F(ASqliteStoreThatIsOpen, WritesNothingOfAnAppendThatFailsHalfWay) {
    run("create trigger full before insert on outcome when new.command_id in ('a', 'v') "
        "begin select raise(abort, 'full'); end");
    EXPECT_THROW(static_cast<void>(store_->append(make_append("a", {write("cart-1")}))), Error);
    EXPECT_THROW(store_->void_command("v"), Error);
    EXPECT_EQ(store_->read_stream(stream("cart-1")).head, Version{0});
    EXPECT_FALSE(store_->wait({}, 0ms));
    // Nor does it remember what was undone: stream, version, the type's row.
    EXPECT_EQ(store_->append(make_append("b", {write("cart-1", Expected::no_stream())})).kind,
              AppendResult::Kind::committed);
    EXPECT_EQ(store_->verify_chain(), store_->heads());
    const auto database = Database::open(url_, {.read_only = true});
    const SqlResult types =
        database->begin(SqlMode::snapshot)
            ->query("select type from event join schema on schema.id = event.schema");
    EXPECT_EQ(types.text(0, 0), "test.Happened");
}

TEST_F(ASqliteStoreThatIsOpen, IsNotCheckpointedByReaders) {
    static_cast<void>(store_->append(make_append("a", {write("cart-1")})));
    const std::string before = bytes_of(path_);
    {
        const auto reader = open({.read_only = true});
        EXPECT_EQ(reader->read_stream(stream("cart-1")).head, Version{1});
    }
    EXPECT_EQ(bytes_of(path_), before);
    EXPECT_GT(std::filesystem::file_size(path_ + "-wal"), 0U);
}

TEST_F(ASqliteFile, IsNotMadeBesideTheJournalOfOneThatWasRemoved) {
    const auto store = open();
    static_cast<void>(store->append(make_append("a", {write("cart-1")})));
    std::filesystem::copy_file(path_ + "-wal", folder_.file("kept"));
    const std::string other = folder_.file("other.db");
    std::filesystem::copy_file(folder_.file("kept"), other + "-wal");
    EXPECT_THAT([&] { open_store("sqlite:" + other); },
                ThrowsMessage<Mismatch>(HasSubstr("other.db-wal")));
    EXPECT_FALSE(std::filesystem::exists(other));
}

/// True when a connection of this process holds SQLite's lock of who reads or writes a file
/// (sqlite.org/lockingv3.html: 510 bytes from 1 GiB and 2 on).
bool has_connections(int file) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000002;
    lock.l_len = 510;
    EXPECT_EQ(fcntl(file, F_OFD_GETLK, &lock), 0) << std::strerror(errno);
    return lock.l_type != F_UNLCK;
}

TEST_F(ASqliteFile, KeepsItsLocksWhenItIsOpenedOnceMoreByTheSameProcess) {
    const auto store = open();
    static_cast<void>(store->append(make_append("a", {write("cart-1")})));
    const int file = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_TRUE(has_connections(file));
    open({.read_only = true});
    EXPECT_TRUE(has_connections(file));
    EXPECT_THROW(open(), Unavailable);
    EXPECT_TRUE(has_connections(file));
    EXPECT_THROW(declare_restored(url_), Unavailable);
    EXPECT_TRUE(has_connections(file)) << "else a stranger could take the write-ahead log away";
    ::close(file);
}

}  // namespace
}  // namespace recount::test
