#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/environment.hpp>

#include "postgres_result.hpp"
#include "postgres_wire.hpp"

namespace recount::postgres {

/// Why a statement was not done.
struct Failure {
    std::string state;  // SQLSTATE
    std::string message;
    bool stale_plan = false;  // a prepared statement's table was changed: prepare it again
};

/// What came back for one statement.
struct Answer {
    Result rows;
    std::string command;             // "COMMIT", "INSERT 0 1"
    std::optional<Failure> failure;  // also when it was skipped behind one that failed
    bool skipped = false;
};

/// The connection is gone, or the server silent for too long.
struct Lost {
    std::string why;
    std::string state;  // SQLSTATE when the server said it
};

/// One libpq connection: what is sent, what comes back, bounded waiting. It knows nothing of
/// transactions. Everything throws Lost; after that only the destructor may be called. libpq keeps
/// SIGPIPE away from the process by itself. Not thread-safe.
class Link {
public:
    struct Settings {
        std::string connection;  // a URL or keywords; holds secrets
        std::string application;
        Duration timeout{};  // to connect
        Duration silence{};  // how long an answer may take
    };

    /// Throws InvalidArgument when the settings are malformed.
    explicit Link(const Settings& settings);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    /// "postgresql://HOST:PORT/DATABASE": no user, no password.
    [[nodiscard]] const std::string& place() const { return place_; }
    /// The server has warned since the last call.
    bool warned() { return std::exchange(warned_, false); }

    /// Notices a connection that ended while nobody looked, before anything is sent on it.
    void look();
    void begin_pipeline();
    void prepare(const std::string& name, const std::string& sql,
                 std::span<const Parameter> parameters);
    void describe(const std::string& name);
    void execute(const std::string& name, std::span<const Parameter> parameters, bool binary_rows);
    /// Ends a pipeline: from now on answers are read, one for each call since begin_pipeline().
    void sync();
    /// Returns what went wrong as late as in the commit.
    std::optional<Failure> end_pipeline();

    /// Outside a pipeline: a text of statements, with one answer, the last one's or the first
    /// failure.
    void query(const std::string& text);
    Answer answer();
    /// The same, but each row is given to `take` as soon as it is there and not kept: the next ones
    /// are on their way meanwhile. `take` throws nothing.
    Answer answer(const std::function<void(const Result& row)>& take);

    /// Behind a query that ends with a copy from stdin: waits until rows can be sent, or says why
    /// not.
    std::optional<Failure> copying();
    /// Sends what the connection takes now and keeps the rest, so it never waits.
    void copy(std::string_view bytes);
    Answer end_copy();

private:
    struct State;

    Answer read_answer(const std::function<void(const Result& row)>* take);
    void flush();
    void wait(short events);
    void require(int done);
    [[noreturn]] void lose(const char* libpq_message);

    std::unique_ptr<State> state_;
    std::string place_;
    Duration silence_;
    bool warned_ = false;
};

}  // namespace recount::postgres
