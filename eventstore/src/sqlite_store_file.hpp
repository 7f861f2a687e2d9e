#pragma once

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

private:
    int file_;
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
