#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/environment.hpp>
#include <recount/eventstore/event_store.hpp>
#include <recount/eventstore/sql.hpp>

namespace recount {

/// The right to work on one partition of something named, a relay, a projection, a saga, until
/// another takes it over. A value: that somebody has it does not say that it still holds.
struct Lease {
    std::string name;
    Partition partition;
    std::int64_t epoch = 0;  // grows with each change of owner
    friend bool operator==(const Lease&, const Lease&) = default;
};

/// How long the leases of a process last. Shorter ones are taken over faster, and are lost by
/// shorter pauses.
struct LeaseOptions {
    /// Without renewal another may take over after so long, by the database's clock.
    Duration lifetime = std::chrono::seconds{3};
    Duration timeout = std::chrono::seconds{10};  // for statements; 1 ms to a day
    Environment* environment = nullptr;           // nothing: the system's
};

/// Where a store ends, and how many incarnations it has had.
struct StoreEnd {
    std::vector<LogHead> heads;  // one a partition
    std::size_t incarnations = 0;
};

/// What this process owns, renewed by one query for all of it about twice in the lifetime, unless
/// its owner does that besides. On PostgreSQL the leases are rows beside the store, so any number
/// of processes share the work; on SQLite and in memory there is one process, which owns whatever
/// it asks for. Thread-safe; gives everything back when it goes.
///
///     auto leases = recount::Leases::open(store->url());
///     for (const recount::Lease& lease : leases->acquire("relay", partitions)) {
///         auto transaction = database->begin(recount::SqlMode::write);
///         leases->check(*transaction, lease);   // Fenced when another has taken over
///         …
///         transaction->commit();                // and until here nobody can
///     }
class Leases {
public:
    /// `url` is the store's. Throws Unavailable; Mismatch when there is no store.
    static std::unique_ptr<Leases> open(const std::string& url, const LeaseOptions& options = {});

    virtual ~Leases() = default;

    /// Those of the partitions that are this process's now: held before, free, or no longer renewed
    /// by their owner. What a living process owns is not taken. Mismatch: see declare_restored().
    virtual std::vector<Lease> acquire(std::string_view name,
                                       std::span<const Partition> partitions) = 0;

    /// Renews everything that is owned and reads where the store ends, by one query on PostgreSQL:
    /// for an owner who looks there at least twice in the lifetime, as a relay does with its beat.
    /// `store` is the one that the leases were opened beside. Throws Unavailable, Mismatch.
    virtual StoreEnd renew(EventStore& store) = 0;

    /// Lets another have it at once.
    virtual void release(const Lease& lease) = 0;

    /// Whether it was renewed recently enough to be worth beginning work; only check() is certain.
    [[nodiscard]] virtual bool held(const Lease& lease) = 0;

    /// Throws Fenced when the lease is no longer this process's; else keeps it so until the
    /// transaction, which must be one of the database that holds the store, has ended.
    virtual void check(Sql& sql, const Lease& lease) = 0;
};

}  // namespace recount
