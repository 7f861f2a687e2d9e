#pragma once

#include "eventstore/sqlite_faults/history.hpp"

#include <memory>
#include <string>

namespace recount::test {

/// Two partitions are enough to have appends in one, in the other and in both.
inline const StoreOptions two_partitions{.partitions = 2};

/// Nothing when it cannot be opened; never throws what a fault may cause.
std::unique_ptr<EventStore> open_or_not(const std::string& url, bool durable = true);

/// What a program does in a day: appends small and large, of types old and new, to one stream and
/// to several, alone and in groups, a conflict, a refusal, a repeat, a void, an import. `day` keeps
/// the command ids of days apart.
void work(EventStore& store, History& history, const std::string& day);

/// What `pragma integrity_check` says: "ok". The store must be closed.
std::string integrity(const std::string& url);

}  // namespace recount::test
