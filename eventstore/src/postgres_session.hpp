#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/environment.hpp>
#include <recount/core/error.hpp>
#include <recount/eventstore/sql.hpp>

#include "postgres_address.hpp"
#include "postgres_link.hpp"
#include "postgres_prepared.hpp"
#include "postgres_wire.hpp"

namespace recount::postgres {

/// What the server answered instead of doing it. Nothing of the statement was done.
class ServerError : public Error {
public:
    ServerError(const std::string& message, bool retryable, std::string state)
        : Error(message, retryable), state_(std::move(state)) {}
    [[nodiscard]] const std::string& state() const { return state_; }  // SQLSTATE

private:
    std::string state_;
};

/// What to throw when a server (`by`) refused a statement.
ServerError refusal(const std::string& by, const Failure& failure, std::string_view sql);

/// As PostgreSQL's settings take a time: at most 24 days, and 0, which is none, for none alone.
std::int64_t milliseconds(Duration duration);

struct SessionOptions {
    bool create_schema = false;
    bool read_only = false;
    bool durable =
        true;  // false: a crash of the server may lose the last commits, never half of one
    Duration timeout = std::chrono::seconds{10};  // for locks, statements and the server's silence
    Duration idle = std::chrono::seconds{2};      // within a transaction; then the server ends it
    /// Plans each statement once, for any arguments: right where all of them use keys.
    bool plan_once = false;
    std::string application = "recount";
};

/// One statement with its arguments.
struct Statement {
    std::string_view sql;  // outlives the call
    std::vector<Parameter> parameters;
};

/// Is given the rows of several statements, one a call; false: no more are wanted.
using TakeRow = std::function<bool(std::size_t statement, const Result& row)>;

/// One connection to a PostgreSQL schema, its settings, and its prepared statements. It is never
/// made anew behind the caller's back: when it is lost it throws Unavailable, or OutcomeUnknown
/// when what was sent may have committed, and is not usable() from then on. What the server refuses
/// is a ServerError. Not thread-safe.
class Session {
public:
    /// Throws Unavailable; Mismatch when there is no such schema and none is to be made.
    Session(const Address& address, const SessionOptions& options);

    [[nodiscard]] bool usable() const { return usable_; }
    /// The server was found to be the right one to write to.
    [[nodiscard]] bool vouched() const { return vouched_; }
    void vouch() { vouched_ = true; }
    /// "postgresql://HOST:PORT/DATABASE?schema=NAME": no user, no password.
    [[nodiscard]] const std::string& name() const { return name_; }

    /// One statement within a transaction, or one that reads by itself.
    Result run(std::string_view sql, std::span<const Parameter> parameters = {});
    /// Several in one round trip, each seeing what was committed when its turn came; the first that
    /// fails ends all. Their columns are of types that are read in binary.
    std::vector<Result> run_all(std::span<const Statement> statements);
    /// The same, row by row: `take` is given the number of the statement and its row while the next
    /// ones are on their way. When it wants no more (false) or throws, what is left is passed over
    /// and whatever becomes of it is no matter.
    void run_rows(std::span<const Statement> statements, const TakeRow& take);
    /// The same for the end of a transaction, the last being "commit"; or, without a begin, for a
    /// transaction of these statements alone. Losing the connection is then OutcomeUnknown.
    std::vector<Result> run_and_commit(std::span<const Statement> statements);
    /// Statements without arguments, the last a "copy … from stdin (format binary)", and what it
    /// copies: `more` appends to the bytes and returns false with the last. Bytes are on their way
    /// while the next are made. A session whose copy was cut short by an exception is lost.
    void copy(std::string_view script, const std::function<bool(std::string& bytes)>& more);
    /// Statements without arguments, "begin" among them.
    void script(std::string_view text);
    /// Throws OutcomeUnknown when the connection is lost meanwhile, or the server says that it gave
    /// up waiting for its standby; Error when a statement had failed and all was rolled back.
    void commit();
    /// Does nothing on a lost connection.
    void rollback() noexcept;

private:
    template <class Use>
    auto guarded(bool commits, const Use& use);
    const Prepared& prepared(std::string_view sql, std::span<const Parameter> parameters);
    Prepared prepare(std::string_view sql, std::span<const Parameter> parameters);
    void forget_statements();
    std::vector<Result> pipeline(std::span<const Statement> statements,
                                 const std::function<void(std::size_t, const Result&)>& take = {});
    void check_committed(bool asked, std::string_view command);
    [[noreturn]] void refuse(const Failure& failure, std::string_view sql);
    void set_up(const SessionOptions& options);
    void find_schema(const Address& address, const SessionOptions& options);

    Link link_;
    std::string name_;
    bool usable_ = true;
    bool vouched_ = false;
    PreparedStatements prepared_;
    std::uint64_t prepared_count_ = 0;
};

/// Ends a transaction that is left open.
class Unfinished {
public:
    explicit Unfinished(Session& session) : session_(session) {}
    ~Unfinished() {
        if (!finished_) session_.rollback();
    }
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    void finish() { finished_ = true; }

private:
    Session& session_;
    bool finished_ = false;
};

}  // namespace recount::postgres
