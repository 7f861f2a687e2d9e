#include "sqlite_store_file.hpp"

#include <recount/core/error.hpp>
#include <recount_sql/recount_eventstore.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "store_base.hpp"

namespace recount {
namespace {

constexpr std::int64_t application_id = 0x52434e54;  // "RCNT"
/// From each version to the next; never changed once released.
constexpr std::array migrations{sql::sqlite_store_0001, sql::sqlite_store_0002,
                                sql::sqlite_store_0003, sql::sqlite_store_0004};
constexpr auto schema_version = static_cast<std::int64_t>(migrations.size());
constexpr std::int32_t default_partitions = 16;

std::int64_t micros(Timestamp when) { return when.time_since_epoch().count(); }
Timestamp timestamp(std::int64_t micros) { return Timestamp{std::chrono::microseconds{micros}}; }

std::int64_t big_endian(const char* bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
    return static_cast<std::int32_t>(value);
}

/// True when there is a store; false when there is nothing, or an empty file. Reads the file's
/// header itself (sqlite.org/fileformat2.html §1.3), since SQLite would change a foreign file by
/// opening it.
bool holds_store(const std::string& path, const std::optional<StoreFileHeader>& file) {
    static constexpr std::size_t header_bytes = 100;
    const std::string header = file ? file->read(header_bytes) : "";
    if (header.empty()) return false;
    static constexpr std::string_view magic{"SQLite format 3\0", 16};
    if (header.size() < header_bytes || !header.starts_with(magic)) {
        throw Mismatch("sqlite:" + path + " is not a SQLite file; it was left untouched: give " +
                       "another path");
    }
    if (big_endian(header.data() + 68) != application_id) {
        throw Mismatch(
            "sqlite:" + path + " is the SQLite file of another program (application id " +
            std::to_string(big_endian(header.data() + 68)) + " instead of " +
            std::to_string(application_id) + "); it was left untouched: give another path");
    }
    return true;
}

std::string pid_in(int file) {
    std::array<char, 32> text{};
    const ssize_t size = pread(file, text.data(), text.size() - 1, 0);
    return size > 0 ? std::string{text.data(), static_cast<std::size_t>(size)} : "?";
}

/// Within the caller's transaction.
void migrate(sqlite::Connection& connection, std::int64_t from) {
    for (auto number = from; number < schema_version; ++number) {
        connection.exec(migrations.at(static_cast<std::size_t>(number)).data());
    }
    connection.exec(("pragma user_version = " + std::to_string(schema_version)).c_str());
}

void create_tables(const std::string& path, const StoreOptions& options, Environment& environment) {
    // Not yet in WAL mode: what is renamed must be in this one file.
    sqlite::Connection connection{path, {.wal = false, .timeout = options.timeout}};
    const StoreIdentity identity = new_identity(options.partitions.value_or(default_partitions),
                                                "sqlite:" + path, environment);
    const std::int64_t now = micros(environment.clock.now());
    connection.begin_write();
    migrate(connection, 0);
    connection.exec(("pragma application_id = " + std::to_string(application_id)).c_str());

    const auto store = connection.prepare("insert into store values (1, ?, ?, ?, 0)");
    store->bind_bytes(1, identity.id.view());
    store->bind(2, std::int64_t{identity.partitions});
    store->bind(3, now);
    store->run();
    const auto incarnation = connection.prepare("insert into incarnation values (1, ?, null, ?)");
    incarnation->bind_bytes(1, identity.incarnation.view());
    incarnation->bind(2, now);
    incarnation->run();
    const auto partition =
        connection.prepare("insert into partition values (?, 0, zeroblob(32), 0)");
    for (std::int64_t i = 0; i < identity.partitions; ++i) {
        partition->bind(1, i);
        partition->run();
    }
    connection.commit();
    // Later it would need a journal under the file's final name, and a crash would leave one that
    // a connection that only looks cannot roll back.
    connection.use_wal();
}

void sync_folder(const std::filesystem::path& folder) {
    const int file =
        open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return;
    fsync(file);
    close(file);
}

/// The file appears complete or not at all, whenever we crash.
void create(const std::string& path, const StoreOptions& options, Environment& environment) {
    for (const char* part : {"-journal", "-wal"}) {
        // SQLite would take it for the new file's, and write what is in it there.
        if (!std::filesystem::exists(path + part)) continue;
        throw Mismatch("sqlite:" + path + " is not there or empty, and " + path + part +
                       " is: it belongs to a file that was removed or moved; bring that back, or "
                       "move this away, too");
    }
    const std::string unfinished = path + ".recount-unfinished";
    for (const char* part : {"", "-journal", "-wal", "-shm"}) {
        std::filesystem::remove(unfinished + part);
    }
    create_tables(unfinished, options, environment);
    std::filesystem::rename(unfinished, path);
    sync_folder(std::filesystem::path{path}.parent_path());
}

/// An older one is only for who may write it, and so upgrade it.
void check_version(const std::string& path, sqlite::Connection& connection, bool read_only) {
    const std::int64_t version = connection.number("pragma user_version");
    const bool older = version >= 1 && version < schema_version;
    if (version == schema_version || (older && !read_only)) return;
    throw Mismatch("sqlite:" + path + " has schema version " + std::to_string(version) +
                   " and this program knows " + std::to_string(schema_version) +
                   "; it was left untouched: " +
                   (older ? "open it once to be written, which upgrades it"
                          : "use the program that wrote it, or a newer one"));
}

/// Behind look(): all at once, or not at all.
void upgrade(const std::string& path, const StoreOptions& options) {
    sqlite::Connection connection{path, {.create = false, .timeout = options.timeout}};
    const std::int64_t version = connection.number("pragma user_version");
    if (version == schema_version) return;
    connection.begin_write();
    migrate(connection, version);
    connection.commit();
}

/// Looks without changing anything: the caller may have named the wrong store.
void look(const std::string& path, const StoreOptions& options, SqliteStoreFile& file) {
    sqlite::Connection connection{path, {.read_only = true, .timeout = options.timeout}};
    check_version(path, connection, options.read_only);
    connection.begin_read();
    const auto store = connection.prepare("select id, partitions from store");
    const sqlite::Running running{*store};
    if (!store->step()) {
        throw Mismatch("sqlite:" + path + " has no row in its table store; restore a backup");
    }
    file.identity.id = Uuid::from(store->bytes(0));
    file.identity.partitions = static_cast<std::int32_t>(store->integer(1));
    file.identity.name = "sqlite:" + path;
    if (options.partitions && *options.partitions != file.identity.partitions) {
        throw Mismatch(
            "sqlite:" + path + " has " + std::to_string(file.identity.partitions) +
            " partitions, not " + std::to_string(*options.partitions) +
            "; the number is fixed for ever: ask for the one it has, or copy its events " +
            "into a new store");
    }
    file.incarnations = read_incarnations(connection, file.identity.partitions);
    file.identity.incarnation = file.incarnations.back().id;
}

}  // namespace

WriterLock::WriterLock(const std::string& path) : path_(path), name_(path + ".lock") {
    file_ = open(name_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) {
        throw Unavailable("sqlite:" + path + ": the lock file " + name_ + " cannot be opened (" +
                          std::strerror(errno) + "); look at the folder's permissions");
    }
    try {
        lock();
    } catch (...) {
        close(file_);
        throw;
    }
}

void WriterLock::lock() {
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
        throw Unavailable("sqlite:" + path_ + " is being written by process " + pid_in(file_) +
                          ", and one process at a time may write; end it, or open the store " +
                          "read_only");
    }
    struct stat locked {};
    if (fstat(file_, &locked) != 0) cannot_look();
    device_ = locked.st_dev;
    inode_ = locked.st_ino;
    if (!is_still_there()) {
        throw Unavailable("sqlite:" + path_ + ": the lock file " + name_ +
                          " was removed or replaced just now; open the store again");
    }
    const std::string pid = std::to_string(getpid());
    if (ftruncate(file_, 0) != 0 || pwrite(file_, pid.data(), pid.size(), 0) < 0) {
        throw Unavailable("sqlite:" + path_ + ": the lock file " + name_ + " cannot be written (" +
                          std::strerror(errno) + "); make room on the disk");
    }
}

bool WriterLock::is_still_there() const {
    struct stat found {};
    if (stat(name_.c_str(), &found) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) cannot_look();
        return false;
    }
    return found.st_dev == device_ && found.st_ino == inode_;
}

void WriterLock::cannot_look() const {
    throw Unavailable("sqlite:" + path_ + ": the lock file " + name_ + " cannot be looked at (" +
                      std::strerror(errno) + "); see to its permissions and its disk");
}

WriterLock::~WriterLock() { close(file_); }

void open_sqlite_file(const std::string& path, const StoreOptions& options,
                      Environment& environment, SqliteStoreFile& file) {
    if (path == ":memory:") {
        throw InvalidArgument(
            "sqlite::memory: cannot hold a store, whose readers have connections "
            "of their own; use memory:");
    }
    sqlite::check_path(path);
    const bool create_missing = options.create && !options.read_only;
    file.header = StoreFileHeader::of(path);
    if (!holds_store(path, file.header) && !create_missing) {
        throw Missing("sqlite:" + path + ": there is no store; create it first, or give " +
                      "another path");
    }
    if (!options.read_only) {
        file.lock.emplace(path);
        // Only now is nobody else creating it.
        file.header = StoreFileHeader::of(path);
        if (!holds_store(path, file.header)) {
            try {
                create(path, options, environment);
            } catch (const std::filesystem::filesystem_error& error) {
                throw Unavailable("sqlite:" + path + " cannot be made (" + error.code().message() +
                                  "): it needs a folder that may be " +
                                  "written, and into which not the file alone is mounted");
            }
            file.header = StoreFileHeader::of(path);
        }
    }
    look(path, options, file);
    if (!options.read_only) upgrade(path, options);
}

std::vector<Incarnation> read_incarnations(sqlite::Connection& connection,
                                           std::int32_t partitions) {
    std::vector<Incarnation> incarnations;
    const auto rows =
        connection.prepare("select id, parent, began_at from incarnation order by number");
    while (rows->step()) {
        Incarnation& incarnation = incarnations.emplace_back();
        incarnation.id = Uuid::from(rows->bytes(0));
        if (rows->type(1) != sqlite::Type::null) incarnation.parent = Uuid::from(rows->bytes(1));
        incarnation.began_at = timestamp(rows->integer(2));
        incarnation.forks.resize(static_cast<std::size_t>(partitions));
    }
    const auto forks =
        connection.prepare("select incarnation, partition, position, hash, recorded_at from fork");
    while (forks->step()) {
        Incarnation& incarnation = incarnations.at(static_cast<std::size_t>(forks->integer(0) - 1));
        incarnation.forks.at(static_cast<std::size_t>(forks->integer(1))) = {
            forks->integer(2), Hash::from(forks->bytes(3)), timestamp(forks->integer(4))};
    }
    return incarnations;
}

}  // namespace recount
