#include <recount/core/error.hpp>

#include "databases.hpp"
#include "sqlite_store_file.hpp"
#include "sqlite_store_reader.hpp"
#include "store_base.hpp"
#include "stores.hpp"

namespace recount {
namespace {

std::int64_t micros(Timestamp when) { return when.time_since_epoch().count(); }

void insert(sqlite::Connection& connection, std::int64_t number, const Incarnation& incarnation) {
    const auto row = connection.prepare("insert into incarnation values (?, ?, ?, ?)");
    row->bind(1, number);
    row->bind_bytes(2, incarnation.id.view());
    row->bind_bytes(3, incarnation.parent->view());
    row->bind(4, micros(incarnation.began_at));
    row->run();
    const auto fork = connection.prepare("insert into fork values (?, ?, ?, ?, ?)");
    for (std::size_t i = 0; i < incarnation.forks.size(); ++i) {
        const LogHead& head = incarnation.forks[i];
        fork->bind(1, number);
        fork->bind(2, static_cast<std::int64_t>(i));
        fork->bind(3, head.n);
        fork->bind_bytes(4, head.hash.view());
        fork->bind(5, micros(head.recorded_at));
        fork->run();
    }
}

/// What does not fit, or nothing.
std::string damage_of(const std::string& url, sqlite::Connection& connection,
                      StoreOptions options) {
    try {
        const auto rows = connection.prepare("pragma quick_check(1)");
        std::string found = rows->step() ? std::string{rows->text(0)} : "nothing";
        if (found != "ok") return found;
        options.read_only = true;
        open_sqlite_store(url, options)->verify_chain();
    } catch (const Error& error) {
        if (error.retryable()) throw;
        return error.what();
    }
    return {};
}

/// SQLite applies a write-ahead log that lies beside the file, also one of the file before it:
/// pages of two times, each of them sound. So it takes both, the check of pages and of events.
void require_sound(const std::string& url, const std::string& path, sqlite::Connection& connection,
                   const StoreOptions& options) {
    const std::string found = damage_of(url, connection, options);
    if (found.empty()) return;
    throw Mismatch("sqlite:" + path + " is damaged (" + found +
                   "), as when the -wal of the file before was left beside it: take the backup "
                   "again, without any FILE-wal and FILE-shm beside it, then declare it");
}

}  // namespace

Incarnation declare_sqlite_restored(const std::string& url, StoreOptions options) {
    options.create = options.read_only = false;
    Environment& environment =
        options.environment == nullptr ? Environment::system() : *options.environment;
    const std::string path = sqlite_path(url);
    SqliteStoreFile file;  // holds the lock of the one process that may write
    open_sqlite_file(path, options, environment, file);
    SqliteReader reader{path, file.identity, options.timeout};
    sqlite::Connection connection{path, {.create = false, .timeout = options.timeout}};
    require_sound(url, path, connection, options);
    const Incarnation next =
        next_incarnation(file.incarnations.back(), reader.heads(), environment);
    connection.begin_write();
    insert(connection, static_cast<std::int64_t>(file.incarnations.size()) + 1, next);
    connection.commit();
    return next;
}

}  // namespace recount
