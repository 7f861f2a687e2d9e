#pragma once

#include <memory>
#include <string>

#include <recount/eventstore/event_store.hpp>

namespace recount {

/// The stores behind open_store().
std::unique_ptr<EventStore> open_memory_store(const StoreOptions& options);
std::unique_ptr<EventStore> open_sqlite_store(const std::string& url, const StoreOptions& options);
std::unique_ptr<EventStore> open_postgres_store(const std::string& url,
                                                const StoreOptions& options);

/// Those behind declare_restored().
Incarnation declare_sqlite_restored(const std::string& url, StoreOptions options);
Incarnation declare_postgres_restored(const std::string& url, StoreOptions options);

}  // namespace recount
