#pragma once

#include <string>

#include <recount/core/append.hpp>

#include "postgres_rows.hpp"

namespace pqxx {
class connection_base;
class transaction_base;
}  // namespace pqxx

namespace recount::postgres {

/// A libpqxx transaction that a caller of ours began. Throws ServerError for what the server
/// refuses, Unavailable when the connection is lost, InvalidArgument when the transaction has ended
/// before. libpqxx connects anew by itself, which here would be outside the transaction: so whether
/// the connection stands is asked before every statement.
class CallersTransaction {
public:
    /// Throws InvalidArgument for a kind of transaction whose commit commits nothing.
    explicit CallersTransaction(pqxx::transaction_base& transaction);

    /// Has the caller's deferred constraints checked now; pqxx::sql_error when one does not hold.
    void check_constraints();
    /// Statements without arguments; returns the rows of the last one.
    SqlResult script(const std::string& text);
    /// All arguments are in binary.
    SqlResult run(const Statement& statement);
    /// Throws OutcomeUnknown as Session::commit() does.
    void commit();
    /// Does nothing when it has ended.
    void abort() noexcept;

private:
    template <class Use>
    auto guarded(std::string_view sql, const Use& use);

    pqxx::transaction_base& transaction_;
};

/// What a store must be for append_and_commit().
class TakesCallersTransaction {
public:
    virtual ~TakesCallersTransaction() = default;
    virtual AppendResult append_and_commit(CallersTransaction& transaction,
                                           const Append& append) = 0;
};

}  // namespace recount::postgres
