#pragma once

#include <recount/projections.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "views.hpp"

namespace recount::test::projections {

/// Which stores a program runs the contract on: "memory", "sqlite", "postgresql".
std::vector<std::string> backends();

/// A store of one kind, empty at first, and how to write to it.
class World {
public:
    explicit World(const std::string& backend, std::int32_t partitions = 4,
                   Environment* environment = nullptr);

    EventStore& store() { return *store_; }
    [[nodiscard]] const std::string& backend() const { return backend_; }
    [[nodiscard]] const std::string& url() const { return url_; }
    [[nodiscard]] bool stored() const { return backend_ != "memory"; }
    void close() { store_.reset(); }
    void open();

    /// Appends to a stream; returns what a session would have written.
    template <class... Event>
    StorePositions append(const std::string& stream, const Event&... events) {
        return append(stream, std::vector<NewEvent>{new_event(events)...});
    }
    StorePositions append(const std::string& stream, std::vector<NewEvent> events);

private:
    std::string backend_;
    TemporaryFolder folder_;
    std::string url_;
    std::int32_t partitions_;
    Environment* environment_;
    std::unique_ptr<EventStore> store_;
};

ItemAdded added(const std::string& sku, std::int64_t quantity = 1, std::int64_t price = 10);
ItemRemoved removed(const std::string& sku, std::int64_t quantity = 1);
CheckedOut checked_out(const std::string& order = "o");

/// Some hundred random events over carts and skus, the same for the same seed.
void append_random(World& world, std::uint32_t seed, int appends);

/// Every event of the log, partition after partition.
std::vector<RecordedEvent> all_events(Log& log);

/// What a view must hold, told again from the log by calling its hooks and nothing else.
std::map<std::string, std::string> pure_carts(Log& log);
std::map<std::string, std::string> pure_skus(Log& log);
/// What it holds, as text, by key.
template <class V>
std::map<std::string, std::string> rows(EventStore& store, const ViewOptions& options = {}) {
    std::map<std::string, std::string> all;
    View<V> view{store, options};
    ListRows which{.limit = 7};
    while (true) {
        const auto page = view.list(which);
        for (const auto& [key, row] : page.rows) all[key] = row.ShortDebugString();
        if (page.rows.size() < which.limit) return all;
        which.after_key = page.rows.back().first;
    }
}

/// Every position of the types that Counts lists, and how often it must have been applied.
std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> pure_counts(Log& log);
std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts(EventStore& store);

}  // namespace recount::test::projections
