#include <recount/eventstore/event_store.hpp>

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include <mutex>

#include "databases.hpp"
#include "stores.hpp"
#include "type_schema.hpp"

namespace recount {
void EventStore::require_readable(std::span<const std::string_view> types) {
    for (const std::string_view type : types) {
        {
            const std::lock_guard lock{readable_mutex_};
            if (readable_.contains(type)) continue;
        }
        // One that was made without descriptors is not told from one that is not there.
        int unknown = 0;
        for (std::uint32_t revision = 1; unknown < 2; ++revision) {
            const auto descriptors = schema(type, revision);
            unknown = descriptors ? 0 : unknown + 1;
            if (descriptors) check_readable(type, {revision, descriptors}, identity().name);
        }
        const std::lock_guard lock{readable_mutex_};
        readable_.emplace(type);
    }
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
