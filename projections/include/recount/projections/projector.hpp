#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <recount/eventstore/event_store.hpp>
#include <recount/eventstore/log.hpp>
#include <recount/projections/definition.hpp>

namespace recount {

/// How databases of views are opened; a test may put faults in between.
using OpenDatabase = std::function<std::unique_ptr<Database>(const std::string& url,
                                                             const DatabaseOptions& options)>;

/// Where views stand, how much is applied in one transaction, and how errors are waited out.
struct ProjectorOptions {
    /// The URL of a store beside which the views stand; it need not hold one. Empty: the store's
    /// own.
    std::string views = {};
    std::size_t page_events =
        8192;  // read and applied in one transaction, at least one a partition
    std::size_t page_bytes = std::size_t{16} << 20;
    std::size_t max_parked = 10000;  // events set aside in one view before it stops instead
    Duration idle_wait = std::chrono::seconds{1};  // run(): looks again after so long at the latest
    /// run(): doubles, with jitter; of each view, and of the log.
    Duration first_backoff = std::chrono::milliseconds{20};
    Duration last_backoff = std::chrono::seconds{5};
    /// For events that heads show and reads do not give. Beyond it run() leaves their partition out
    /// and goes on with the others; it is tried again after four times as long as that took.
    Duration patience = std::chrono::seconds{10};
    Duration timeout = std::chrono::seconds{10};  // for locks and statements of the views' database
    OpenDatabase open = {};                       // nothing: Database::open
};

/// What a call has done.
struct Applied {
    std::int64_t events = 0;  // given to a view, summed over views
    std::int64_t transactions = 0;
    std::int64_t parked = 0;   // events set aside
    std::int64_t fenced = 0;   // transactions rolled back because another projector was faster
    std::int64_t swapped = 0;  // generations that went live
};

struct PartitionStatus {
    Partition partition;
    std::int64_t position = 0;           // applied or parked up to here
    std::optional<std::int64_t> head;    // nothing: the log cannot be reached
    std::optional<std::int64_t> behind;  // events
    /// Of the oldest event that is missing; zero when none is; nothing: the log does not give it.
    std::optional<Duration> age;
};

/// One generation of one view, as this projector sees it.
struct ViewStatus {
    enum class State : std::uint8_t { running, stopped };
    std::string view;
    int version = 0;
    std::int64_t generation = 0;
    bool live = false;  // readers get this one; else it is being built
    State state = State::running;
    std::string reason;  // of a stop: what happened, and what to do
    std::int64_t parked_streams = 0;
    std::int64_t parked_events = 0;
    std::vector<PartitionStatus> partitions;
};

/// Why run() ended.
struct RunEnd {
    bool asked = false;  // by the stop token; else every view is stopped
    std::string reason;  // for people
};

/// The half of Projector that knows no View types. Thread-safe, but one catch_up() or run() at a
/// time: a second one waits for the first.
class ProjectorEngine {
public:
    ProjectorEngine(Log& log, std::vector<ViewDefinition> views, ProjectorOptions options);
    ProjectorEngine(EventStore& store, std::vector<ViewDefinition> views, ProjectorOptions options);
    ~ProjectorEngine();
    ProjectorEngine(ProjectorEngine&&) noexcept;
    ProjectorEngine& operator=(ProjectorEngine&&) noexcept;

    Applied catch_up();
    RunEnd run(std::stop_token stop) noexcept;
    std::vector<ViewStatus> status();
    std::int64_t retry_parked();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Tells views from a log: reads, checks and decodes it once and feeds each view in a transaction
/// of its own, which also moves that view's checkpoint. So each event counts once in each view,
/// whatever crashes. An event that fails parks its stream for that view; nothing is skipped.
///
/// A view whose `version` grew is built anew beside the old generation and goes live when it has
/// reached it. Two projectors of one view do no harm: one of them is fenced and goes on behind the
/// other.
///
///     recount::Projector<CartSummary, SalesByDay> projector{*store};
///     projector.catch_up();                                            // in tests and tools
///     std::jthread thread{[&](std::stop_token stop) { projector.run(stop); }};   // in services
///
/// The log must outlive it. Constructing opens the views' databases and creates what is missing:
/// throws InvalidArgument for a view that cannot be kept, Mismatch for views of another store, for
/// a changed view under an old version and for an old version under a newer one, Unavailable.
template <class... View>
class Projector {
    static_assert(sizeof...(View) > 0, "a Projector has at least one View");

public:
    explicit Projector(Log& log, ProjectorOptions options)
        : engine_(log, {define_view<View>()...}, std::move(options)) {}
    explicit Projector(EventStore& store, ProjectorOptions options = {})
        : engine_(store, {define_view<View>()...}, std::move(options)) {}

    /// Applies until every view has what the log held when this was called; a view that stopped
    /// earlier is tried again. Throws when a view cannot go on, or a partition cannot be read,
    /// after the others are done.
    Applied catch_up() { return engine_.catch_up(); }

    /// Applies until asked to stop. What can be retried is, with backoff; the other views and
    /// partitions go on meanwhile. A view that cannot go on stops and says why in status(). Never
    /// throws.
    RunEnd run(std::stop_token stop) { return engine_.run(std::move(stop)); }

    /// Where each view stands against freshly read heads.
    std::vector<ViewStatus> status() { return engine_.status(); }

    /// Tries parked streams again, each in its order up to the first event that still fails; after
    /// the cause was removed. Waits for the pass that run() is in. Returns how many events are
    /// parked no longer.
    std::int64_t retry_parked() { return engine_.retry_parked(); }

private:
    ProjectorEngine engine_;
};

}  // namespace recount
