#include <recount/eventstore/event_store.hpp>

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include "databases.hpp"
#include "stores.hpp"

namespace recount {
namespace {

LogHead verify_partition(EventStore& store, Partition partition, const LogHead& head,
                         const std::function<void(const Position&)>& progress) {
    const auto incarnations = store.incarnations();
    const Uuid id = store.identity().id;
    ChainCheck chain{partition, 0, incarnations.front().origin(id, partition)};
    LogHead reached{0, chain.hash(), {}};
    for (bool end = false; !end;) {
        const LogPage page = store.read(partition, reached.n);
        for (const RecordedEvent& event : page.events) {
            chain.next(event, id, incarnations);
            reached = {chain.n(), chain.hash(), event.at.recorded_at};
        }
        if (progress && reached.n > 0) progress(Position{partition, reached.n});
        end = page.end;
    }
    if (reached.n < head.n) {
        throw Divergence(
            "partition " + std::to_string(partition.value) + " of " + store.identity().name +
            " should hold " + std::to_string(head.n) + " events and ends at position " +
            to_string(Position{partition, reached.n}) + "; its end was lost: restore a backup");
    }
    if (reached.n == head.n && head.n > 0 && reached.hash != head.hash) {
        throw Divergence("the head of partition " + std::to_string(partition.value) + " of " +
                         store.identity().name + " names another hash than the event at position " +
                         to_string(Position{partition, reached.n}) + "; compare with a backup");
    }
    return reached;
}

/// Heads are committed with their events, so one that is read later cannot lie before them.
void check_not_behind(const LogHead& head, const LogHead& reached, Partition partition,
                      const std::string& store) {
    if (head.n >= reached.n) return;
    throw Divergence("the head of partition " + std::to_string(partition.value) + " of " + store +
                     " stands at " + std::to_string(head.n) +
                     ", and the last event is at position " +
                     to_string(Position{partition, reached.n}) + "; compare with a backup");
}

}  // namespace

std::vector<LogHead> EventStore::verify_chain(
    const std::function<void(const Position&)>& progress) {
    // Heads first: what is appended meanwhile only adds to what they promise.
    const std::vector<LogHead> heads_before = heads();
    std::vector<LogHead> reached;
    for (std::size_t i = 0; i < heads_before.size(); ++i) {
        reached.push_back(verify_partition(*this, Partition{static_cast<std::int32_t>(i)},
                                           heads_before[i], progress));
    }
    const std::vector<LogHead> heads_after = heads();
    for (std::size_t i = 0; i < reached.size(); ++i) {
        check_not_behind(heads_after[i], reached[i], Partition{static_cast<std::int32_t>(i)},
                         identity().name);
    }
    return reached;
}

std::int64_t EventStore::truncate(const StreamName& stream, Version before) {
    return erase(stream, Version{1}, Version{before.value - 1});
}

AppendResult EventStore::close_stream(const StreamName& stream, CommandMetadata metadata,
                                      std::string_view reason, const Expected& expected) {
    if (metadata.command_id.empty()) metadata.command_id = to_string(new_uuid7(environment()));
    Append append;
    append.metadata = std::move(metadata);
    append.writes.push_back({stream, expected, {closing_event(reason)}});
    append.request = request_hash(append);
    AppendResult result = std::move(this->append(std::span{&append, 1}).front());
    return result.kind == AppendResult::Kind::closed ? result : accepted(std::move(result));
}

std::unique_ptr<EventStore> open_store(const std::string& url, const StoreOptions& options) {
    if (options.partitions && (*options.partitions < 1 || *options.partitions > 1024)) {
        throw InvalidArgument("a store has 1 to 1024 partitions, not " +
                              std::to_string(*options.partitions) + "; choose another number");
    }
    if (url == memory_scheme) return open_memory_store(options);
    if (url.starts_with(sqlite_scheme)) return open_sqlite_store(url, options);
    if (names_postgres(url)) return open_postgres_store(url, options);
    throw InvalidArgument(scheme_of(url) + " names no store that is known here; use memory:, " +
                          "sqlite:PATH or postgresql://USER@HOST:PORT/DATABASE?schema=NAME");
}

Incarnation declare_restored(const std::string& url, const StoreOptions& options) {
    if (url.starts_with(sqlite_scheme)) return declare_sqlite_restored(url, options);
    if (names_postgres(url)) return declare_postgres_restored(url, options);
    throw InvalidArgument(scheme_of(url) + " names no store that could have been restored; use " +
                          "sqlite:PATH or postgresql://USER@HOST:PORT/DATABASE?schema=NAME");
}

}  // namespace recount
