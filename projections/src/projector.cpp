#include <recount/projections/projector.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <recount/core/error.hpp>

#include "countable.hpp"
#include "pass.hpp"

namespace recount {

using projections::Catalogue;
using projections::GenerationEntry;
using projections::GenerationWriter;
using projections::Pass;
using projections::Place;

namespace {

ProjectorOptions countable(ProjectorOptions options) {
    for (Duration* time : {&options.idle_wait, &options.first_backoff, &options.last_backoff,
                           &options.patience, &options.timeout}) {
        *time = projections::countable(*time);
    }
    return options;
}

}  // namespace

class ProjectorEngine::Impl {
public:
    Impl(Log& log, bool primary, std::vector<ViewDefinition> views, ProjectorOptions options)
        : log_(log),
          primary_(primary),
          views_(std::move(views)),
          options_(countable(std::move(options))),
          place_(place()),
          catalogue_(*place_, Place::Access::write) {
        const std::vector<Incarnation> incarnations = log_.incarnations();
        for (const ViewDefinition& view : views_) open(view, incarnations);
    }

    Applied catch_up() {
        const std::scoped_lock running{running_};
        Pass pass{parts()};
        const Applied applied = go(pass, Pass::Views::all, {});
        for (const std::exception_ptr& error :
             {pass.failure(), pass.delay(), pass.left_out(), pass.heads_unknown()}) {
            if (error) std::rethrow_exception(error);
        }
        return applied;
    }

    RunEnd run(const std::stop_token& stop);
    std::vector<ViewStatus> status();

    std::int64_t retry_parked() {
        const std::scoped_lock running{running_};
        std::int64_t done = 0;
        std::exception_ptr first;  // that of one view is no reason for others to wait
        for (const auto& writer : writers_.list) {
            try {
                done += writer->retry_parked();
            } catch (...) {
                if (!first) first = std::current_exception();
            }
        }
        if (first) std::rethrow_exception(first);
        return done;
    }

private:
    std::shared_ptr<Place> place() {
        if (options_.views.empty()) {
            throw InvalidArgument(
                "a Projector of a log that is no store needs .views, the URL beside "
                "which its views stand");
        }
        std::vector<std::string> names;
        for (const ViewDefinition& view : views_) {
            check_definition(view);
            names.push_back(view.name);
        }
        std::sort(names.begin(), names.end());
        const auto twice = std::adjacent_find(names.begin(), names.end());
        if (twice != names.end()) {
            throw InvalidArgument("two views of one Projector are named " + *twice +
                                  "; rename one");
        }
        return Place::at(options_.views, log_.identity().id, options_.open, options_.timeout);
    }

    void open(const ViewDefinition& view, const std::vector<Incarnation>& incarnations) {
        std::vector<std::string_view> types;
        for (const EventHook& hook : view.events) types.push_back(hook.type);
        log_.require_readable(types);
        const auto feed = catalogue_.to_feed(view, log_.environment().clock.now());
        for (const GenerationEntry& entry : feed) {
            auto writer = std::make_unique<GenerationWriter>(
                GenerationWriter::Context{log_, primary_, options_, place_}, view, entry,
                incarnations);
            // The first generation of all is read while it is built: there is nothing better.
            if (!catalogue_.current(view.name)) writer->go_live(catalogue_, {}, incarnations);
            if (writer->entry().current()) writer->expose(catalogue_);
            writers_.list.push_back(std::move(writer));
        }
    }

    /// What run() does after a pass.
    struct Next {
        Positions seen;
        bool more = false;  // there is more to do at once
        bool all_stopped = true;
        bool all_put_off = true;  // nobody has use for what comes
        Duration at_most;         // until a view is to be tried again, or the log looked at again
    };

    Pass::Parts parts() { return {log_, primary_, options_, catalogue_, writers_, outages_}; }
    void tell(const std::exception_ptr& heads_unknown);
    std::optional<Duration> missing_for(const PartitionStatus& at);
    Applied go(Pass& pass, Pass::Views views, const std::stop_token& stop);
    Next pass_once(const std::stop_token& stop);

    Log& log_;
    bool primary_;
    std::vector<ViewDefinition> views_;  // never changed: writers refer to them
    ProjectorOptions options_;
    std::shared_ptr<Place> place_;
    Catalogue catalogue_;
    std::mutex running_;  // one catch_up(), run() or retry_parked() at a time
    projections::Writers writers_;
    projections::Outages outages_{log_, options_};
    bool heads_unknown_ = false;  // when run() looked last
};

/// Where something was away, the views may come back without what they committed last.
Applied ProjectorEngine::Impl::go(Pass& pass, Pass::Views views, const std::stop_token& stop) {
    const auto forget = [&] {
        for (const auto& writer : writers_.list) writer->forget();
    };
    const auto measure = [&](const Positions* heads) {
        for (const auto& writer : writers_.list) writer->measure(heads, pass.out());
    };
    try {
        const Applied applied = pass.run(views, stop);
        measure(pass.target());
        if (pass.delay() || pass.left_out() || pass.heads_unknown()) forget();
        return applied;
    } catch (...) {
        measure(nullptr);
        forget();
        throw;
    }
}

ProjectorEngine::Impl::Next ProjectorEngine::Impl::pass_once(const std::stop_token& stop) {
    const std::scoped_lock running{running_};
    Pass pass{parts()};
    go(pass, Pass::Views::due, stop);
    tell(pass.heads_unknown());
    Next next{.seen = pass.seen(),
              .more = pass.more(),
              .at_most = outages_.left().value_or(Duration::max())};
    for (const auto& writer : writers_.list) {
        if (writer->stopped()) continue;
        next.all_stopped = false;
        const std::optional<Duration> left = writer->backoff().left();
        if (!left) next.all_put_off = false;
        next.at_most = std::min(next.at_most, left.value_or(options_.idle_wait));
    }
    return next;
}

/// Said once, and once when it is over.
void ProjectorEngine::Impl::tell(const std::exception_ptr& heads_unknown) {
    const bool before = std::exchange(heads_unknown_, heads_unknown != nullptr);
    if (before == heads_unknown_) return;
    if (!heads_unknown_) {
        spdlog::info("how far the views are behind is known again");
        return;
    }
    try {
        std::rethrow_exception(heads_unknown);
    } catch (const Error& error) {
        spdlog::warn("how far the views are behind is unknown, they are fed what there is: {}",
                     error.what());
    }
}

constexpr Duration pause_for_heads = std::chrono::milliseconds{20};

RunEnd ProjectorEngine::Impl::run(const std::stop_token& stop) {
    Scheduler& scheduler = log_.environment().scheduler;
    projections::Backoff backoff{log_.environment(), options_};  // of errors of the log
    // Behind which the log said that it has more. A topic may have it before its heads show it.
    std::optional<Positions> more_behind;
    while (!stop.stop_requested()) {
        try {
            const Next next = pass_once(stop);
            backoff.worked();
            if (next.all_stopped) return {false, "every view is stopped; status() says why"};
            if (next.more) continue;
            if (next.all_put_off) {
                scheduler.sleep(next.at_most, stop);
            } else {
                if (more_behind == next.seen) scheduler.sleep(pause_for_heads, stop);
                const bool more = log_.wait(next.seen, next.at_most, stop);
                more_behind = more ? std::optional{next.seen} : std::nullopt;
            }
        } catch (const Error& error) {
            if (!error.retryable()) {
                spdlog::error("the projector ends: {}", error.what());
                return {false, error.what()};
            }
            spdlog::warn("the projector tries again: {}", error.what());
            backoff.failed();
            scheduler.sleep(*backoff.left(), stop);
        } catch (const std::exception& error) {  // as when memory is short
            spdlog::warn("the projector tries again: {}", error.what());
            backoff.failed();
            scheduler.sleep(*backoff.left(), stop);
        }
    }
    return {true, "asked to stop"};
}

std::vector<ViewStatus> ProjectorEngine::Impl::status() {
    std::vector<ViewStatus> all;
    {
        const std::scoped_lock lock{writers_.mutex};
        for (const auto& writer : writers_.list) all.push_back(writer->status());
    }
    std::vector<LogHead> heads;
    try {
        heads = log_.heads();
    } catch (const Error& error) {
        spdlog::warn("the log's heads are unknown: {}", error.what());
        return all;
    }
    std::set<Partition> failed;  // which one looks into once, not for each view
    for (ViewStatus& view : all) {
        for (PartitionStatus& at : view.partitions) {
            at.head = heads.at(static_cast<std::size_t>(at.partition.value)).n;
            at.behind = std::max<std::int64_t>(0, *at.head - at.position);
            if (*at.behind == 0) at.age = Duration::zero();
            if (*at.behind == 0 || failed.contains(at.partition)) continue;
            try {
                at.age = missing_for(at);
            } catch (const Error&) {
                failed.insert(at.partition);
            }
        }
    }
    return all;
}

/// How long the first event behind that is there; nothing when the log does not give it.
std::optional<Duration> ProjectorEngine::Impl::missing_for(const PartitionStatus& at) {
    const LogPage page = log_.read(at.partition, at.position, {.max_events = 1});
    if (page.events.empty()) return std::nullopt;
    const Timestamp now = log_.environment().clock.now();
    return std::max(Duration::zero(), now - page.events.front().at.recorded_at);
}

ProjectorEngine::ProjectorEngine(Log& log, std::vector<ViewDefinition> views,
                                 ProjectorOptions options)
    : impl_(std::make_unique<Impl>(log, false, std::move(views), std::move(options))) {}

ProjectorEngine::ProjectorEngine(EventStore& store, std::vector<ViewDefinition> views,
                                 ProjectorOptions options) {
    if (options.views.empty()) options.views = store.url();
    impl_ = std::make_unique<Impl>(store, true, std::move(views), std::move(options));
}

ProjectorEngine::~ProjectorEngine() = default;
ProjectorEngine::ProjectorEngine(ProjectorEngine&&) noexcept = default;
ProjectorEngine& ProjectorEngine::operator=(ProjectorEngine&&) noexcept = default;

Applied ProjectorEngine::catch_up() { return impl_->catch_up(); }

RunEnd ProjectorEngine::run(std::stop_token stop) noexcept {
    try {
        return impl_->run(stop);
    } catch (const std::exception& error) {
        return {false, error.what()};
    }
}

std::vector<ViewStatus> ProjectorEngine::status() { return impl_->status(); }
std::int64_t ProjectorEngine::retry_parked() { return impl_->retry_parked(); }

}  // namespace recount
