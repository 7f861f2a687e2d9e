#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recount/eventstore/event_store.hpp>
#include <recount/projections/consistency.hpp>
#include <recount/projections/definition.hpp>
#include <recount/projections/projector.hpp>

namespace recount {

/// How far a view is behind the heads its reader knows.
struct Lag {
    std::optional<std::int64_t> events;    // nothing: unknown, which is no better than far behind
    std::vector<std::int64_t> partitions;  // events, one entry a partition; empty when unknown
    std::optional<Duration> time;  // at most so old is what is shown; zero when nothing is missing
};

/// What every answer says about itself.
struct Served {
    std::int64_t generation = 0;  // 0: the view was never started
    int version = 0;              // of the view's code that built it
    /// Everything up to here is shown, or parked (see why_stale); one entry an incarnation.
    std::vector<StorePositions> positions;
    Lag lag;
    bool stale = false;     // not known to hold what was asked for, a stream parked, or stopped
    std::string why_stale;  // for people
    std::string served_by;  // without secrets
};

/// One row, or none. `if (auto cart = view.get("17")) use(cart->items());`
template <class RowMessage>
struct Read : Served {
    std::optional<RowMessage> row;
    explicit operator bool() const { return row.has_value(); }
    const RowMessage& operator*() const { return *row; }
    const RowMessage* operator->() const { return &*row; }
};

/// Rows with their keys, in order of key.
template <class RowMessage>
struct ReadRows : Served {
    std::vector<std::pair<std::string, RowMessage>> rows;
};

/// What a SELECT of the caller's own gave.
struct ReadResult : Served {
    SqlResult result;
};

/// Where a view is found, and how its reads wait.
struct ViewOptions {
    std::string views = {};                               // as ProjectorOptions::views
    Duration heads_age = std::chrono::milliseconds{500};  // known heads are read anew after so long
    Duration first_poll = std::chrono::milliseconds{1};   // while waiting; doubles
    Duration last_poll = std::chrono::milliseconds{50};
    Duration timeout = std::chrono::seconds{10};  // of statements, and for a connection
    std::size_t connections = 8;  // that read at a time; who finds none in time: Overloaded
    OpenDatabase open = {};
};

struct ListRows {
    std::optional<std::string> after_key = {};  // the last of the page before
    std::size_t limit = 100;
};

/// The half of View that knows no View type. Thread-safe.
class ViewReader {
public:
    ViewReader(Log& log, ViewDefinition view, ViewOptions options);
    ViewReader(EventStore& store, ViewDefinition view, ViewOptions options);
    ~ViewReader();
    ViewReader(ViewReader&&) noexcept;
    ViewReader& operator=(ViewReader&&) noexcept;

    Served get(std::string_view key, const Consistency& consistency,
               std::unique_ptr<google::protobuf::Message>& row);
    using Take = std::function<void(const std::string& key, const google::protobuf::Message& row)>;
    Served list(const ListRows& which, const Consistency& consistency, const Take& take);
    Served query(const Consistency& consistency, const std::function<void(Sql&)>& ask);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Reads a view; needs no projector in this process. Each read takes generation, checkpoint and
/// rows from one snapshot, judges the checkpoint against what was asked, and waits, fails or serves
/// stale as the Consistency says. A view that was never started, whose projector stopped, or with a
/// stream set aside that concerns the read, is stale.
///
/// Thread-safe; the log must outlive it. Throws NotThereYet (the view could not be as fresh as
/// asked), Divergence (the session saw a branch of history that was lost), Unavailable.
///
///     recount::View<CartSummary> carts{*store};
///     auto cart = carts.get("17", recount::session(session).wait_for(2s));
template <class V>
class View {
public:
    explicit View(Log& log, ViewOptions options)
        : reader_(log, define_view<V>(), std::move(options)) {}
    explicit View(EventStore& store, ViewOptions options = {})
        : reader_(store, define_view<V>(), std::move(options)) {}

    /// The row of a key. In a session, a view that names its category, keyed by the stream, waits
    /// for the partition of that stream; any other read for all partitions.
    auto get(std::string_view key,
             const Consistency& consistency = eventual()) requires KeyedView<V> {
        Read<typename V::Row> read;
        std::unique_ptr<google::protobuf::Message> row;
        static_cast<Served&>(read) = reader_.get(key, consistency, row);
        if (row) read.row = std::move(static_cast<typename V::Row&>(*row));
        return read;
    }

    /// Rows in order of key, a page at a time.
    auto list(const ListRows& which = {},
              const Consistency& consistency = eventual()) requires KeyedView<V> {
        ReadRows<typename V::Row> read;
        static_cast<Served&>(read) = reader_.list(
            which, consistency, [&](const std::string& key, const google::protobuf::Message& row) {
                read.rows.emplace_back(key, static_cast<const typename V::Row&>(row));
            });
        return read;
    }

    /// A SELECT over the view's tables, which are named without a schema. Throws InvalidArgument
    /// for a statement that writes; nothing is changed.
    template <class... Argument>
    ReadResult query(const Consistency& consistency, std::string_view sql,
                     const Argument&... argument) {
        ReadResult read;
        static_cast<Served&>(read) = reader_.query(
            consistency, [&](Sql& snapshot) { read.result = snapshot.query(sql, argument...); });
        return read;
    }

private:
    ViewReader reader_;
};

}  // namespace recount
