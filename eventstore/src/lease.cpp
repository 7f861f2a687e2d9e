#include <recount/eventstore/lease.hpp>

#include <recount/core/error.hpp>

#include "databases.hpp"
#include "leases.hpp"

namespace recount {
namespace {

/// Of a store that only one process can write.
class OnlyProcess final : public Leases {
public:
    std::vector<Lease> acquire(std::string_view name,
                               std::span<const Partition> partitions) override {
        std::vector<Lease> leases;
        for (const Partition partition : partitions) {
            leases.push_back({std::string{name}, partition, 1});
        }
        return leases;
    }
    StoreEnd renew(EventStore& store) override {
        return {store.heads(), store.incarnations().size()};
    }
    void release(const Lease&) override {}
    [[nodiscard]] bool held(const Lease&) override { return true; }
    void check(Sql&, const Lease&) override {}
};

}  // namespace

std::unique_ptr<Leases> Leases::open(const std::string& url, const LeaseOptions& options) {
    if (options.lifetime < std::chrono::milliseconds{100}) {
        throw InvalidArgument("a lease lives for at least 100 ms; choose a longer lifetime");
    }
    if (names_postgres(url)) return open_postgres_leases(url, with_usable_timeout(options));
    if (url.starts_with(sqlite_scheme) || url.starts_with(memory_scheme)) {
        return std::make_unique<OnlyProcess>();
    }
    throw InvalidArgument(scheme_of(url) + " names no store that is known here; use memory:, " +
                          "sqlite:PATH or postgresql://USER@HOST:PORT/DATABASE?schema=NAME");
}

}  // namespace recount
