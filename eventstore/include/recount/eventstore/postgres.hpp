#pragma once

/// For services that keep tables of their own, through libpqxx, beside a store in PostgreSQL. Not
/// part of the umbrella header; libpqxx itself is not included.

#include <recount/eventstore/event_store.hpp>

namespace pqxx {
class transaction_base;
}

namespace recount {

/// Appends in a transaction that the caller began with libpqxx, and commits it: the caller's rows
/// and the events are there together, or neither. It is the transaction's last act.
///
///     pqxx::work transaction{connection};
///     transaction.exec_params("insert into orders …", order_id);
///     const auto result = recount::append_and_commit(transaction, *store,
///         {"order", order_id}, {.command_id = order_id + "/place"}, placed);
///     if (!committed(result)) …   // and no row was written now
///
/// The verdict is that of EventStore::append(const Append&):
/// - `committed`: the caller's rows, too.
/// - `repeated`: the command happened before, and its rows were written then. Those written now are
///   rolled back.
/// - `conflict`: an expectation does not hold. Everything is rolled back.
///
/// When it returns or throws, the transaction has ended, by commit or by rollback; only after
/// InvalidArgument, for what cannot be done whatever the database holds, it is as it was before:
/// another call on a transaction that has ended (which is found out before any I/O), a
/// pqxx::nontransaction or subtransaction, a store that is not in PostgreSQL or was opened to be
/// read only, an append beyond the limits. Throws besides:
/// - CommandReused, CommandExpired: see Streams::append().
/// - Mismatch: the connection leads to another database than the store's, or the store was
/// restored.
/// - Contended: a deadlock, a serialisation failure, or the same command at the same moment. Run
///   the whole transaction again (`retryable()`); recount cannot, as your work is not known to it.
/// - Unavailable: the connection was lost before the commit. Nothing was committed.
/// - OutcomeUnknown: it was lost in the commit. Run the whole transaction again with the same
///   command id: `repeated` says that it had been committed.
/// - pqxx::sql_error, when a deferred constraint of the caller's own tables does not hold, or a
///   statement of the transaction had failed before.
///
/// However long the caller's own work took, partitions of the log are locked for the last two round
/// trips only (four, when somebody else appended between look and write); how long is counted in
/// `recount_append_lock_hold_seconds`. Use the default isolation, read committed: the stricter ones
/// are Contended whenever anybody appended to the partition since the transaction began. Of the
/// session nothing is taken for granted, and none of its settings is different afterwards.
/// Not to be used by two threads on one connection, as libpqxx has it; the store may be shared.
[[nodiscard]] AppendResult append_and_commit(pqxx::transaction_base& transaction, EventStore& store,
                                             const Append& append);

/// The same for what happened to one thing, whatever its stream held before: one or more protobuf
/// messages in their order. `metadata.command_id` is required: it names what the transaction does,
/// so that doing it again is recognised. Make it of what the request is about, or keep a UUID.
template <class Event, class... More>
[[nodiscard]] AppendResult append_and_commit(pqxx::transaction_base& transaction, EventStore& store,
                                             StreamName stream, CommandMetadata metadata,
                                             const Event& event, const More&... more) {
    Append append;
    append.metadata = std::move(metadata);
    append.writes.push_back(
        {std::move(stream), Expected::any(), {new_event(event), new_event(more)...}});
    append.request = request_hash(append);
    return append_and_commit(transaction, store, append);
}

/// Whether this very transaction was committed. A repeated one was before.
inline bool committed(const AppendResult& result) {
    return result.kind == AppendResult::Kind::committed;
}

}  // namespace recount
