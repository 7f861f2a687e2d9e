#include <recount/eventstore/event_store.hpp>

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include "databases.hpp"
#include "stores.hpp"

namespace recount {
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

std::unique_ptr<EventStore> open_store(const std::string& url, const StoreOptions& asked) {
    const StoreOptions options = with_usable_timeout(asked);
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

Incarnation declare_restored(const std::string& url, const StoreOptions& asked) {
    const StoreOptions options = with_usable_timeout(asked);
    if (url.starts_with(sqlite_scheme)) return declare_sqlite_restored(url, options);
    if (names_postgres(url)) return declare_postgres_restored(url, options);
    throw InvalidArgument(scheme_of(url) + " names no store that could have been restored; use " +
                          "sqlite:PATH or postgresql://USER@HOST:PORT/DATABASE?schema=NAME");
}

}  // namespace recount
