#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include <recount/eventstore/event_store.hpp>

#include "sqlite_connection.hpp"
#include "sqlite_store_header.hpp"

namespace recount {

/// Held by the one process that may write a store's file: an exclusive flock on "<path>.lock". The
/// operating system gives it back however the process ends. Throws Unavailable, naming the process
/// that holds it.
class WriterLock {
public:
    explicit WriterLock(const std::string& path);
    ~WriterLock();
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;

    /// False when the lock file was removed or replaced, so that another process may have locked
    /// the one that is there now. Throws Unavailable when that cannot be told.
    [[nodiscard]] bool is_still_there() const;

private:
    void lock();
    [[noreturn]] void cannot_look() const;

    std::string path_;  // of the store
    std::string name_;  // of the lock file
    int file_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

/// A store's file as it was found or made: it is ours, of this version, with the partitions asked
/// for.
struct SqliteStoreFile {
    StoreIdentity identity;
    std::vector<Incarnation> incarnations;
    std::optional<WriterLock> lock;         // unless opened to be read
    std::optional<StoreFileHeader> header;  // until all connections are closed
};

/// Throws InvalidArgument for a missing folder, Mismatch for a foreign file, a missing one that
/// must not be created, another partition count or a newer schema; the file is then as it was.
void open_sqlite_file(const std::string& path, const StoreOptions& options,
                      Environment& environment, SqliteStoreFile& file);

std::vector<Incarnation> read_incarnations(sqlite::Connection& connection, std::int32_t partitions);

}  // namespace recount
