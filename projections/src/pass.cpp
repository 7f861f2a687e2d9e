#include "pass.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include <recount/core/error.hpp>

namespace recount::projections {

Pass::Pass(Log& log, const ProjectorOptions& options, Catalogue& catalogue, Writers& writers)
    : log_(log), options_(options), catalogue_(catalogue), writers_(writers) {}

/// An error of one view is that view's alone.
template <class Run>
void Pass::guarded(GenerationWriter& writer, Run&& run) {
    const auto leave_out = [&] { std::erase(active_, &writer); };
    try {
        run();
    } catch (const Fenced&) {
        ++applied_.fenced;  // another projector made progress; this one goes on behind it
        writer.forget();
    } catch (const Error& error) {
        leave_out();
        if (error.retryable()) {
            spdlog::warn("view {} is tried again: {}", writer.view(), error.what());
            writer.backoff().failed();
            if (!delay_) delay_ = std::current_exception();
        } else if (!replaced(writer, error)) {
            writer.stop(error.what());
            if (!failure_) failure_ = std::current_exception();
        }
    } catch (const std::exception& error) {  // as when memory is short
        leave_out();
        spdlog::warn("view {} is tried again: {}", writer.view(), error.what());
        writer.backoff().failed();
        if (!delay_) delay_ = std::current_exception();
    }
}

/// Has the generation ended, with another one here that is fed instead of it? Then only its writer
/// goes. One whose tables are dropped meets errors of any kind, so the catalogue is asked.
bool Pass::replaced(GenerationWriter& writer, const Error& error) {
    const bool building = !writer.entry().current();
    const bool other =
        std::any_of(writers_.list.begin(), writers_.list.end(), [&](const auto& one) {
            return one->view() == writer.view() &&
                   (one->entry().generation > writer.entry().generation ||
                    (building && one->entry().current()));
        });
    if (!other) return false;
    if (dynamic_cast<const Superseded*>(&error) == nullptr) {
        if (!building) return false;
        try {
            catalogue_.expect_wanted(writer.view(), writer.entry().generation);
            return false;
        } catch (const Superseded&) {
        } catch (const Error&) {
            return false;
        }
    }
    if (building) spdlog::warn("view {} is built no further: {}", writer.view(), error.what());
    drop(writer);
    return true;
}

void Pass::drop(GenerationWriter& writer) {
    std::erase(active_, &writer);
    const std::scoped_lock lock{writers_.mutex};
    std::erase_if(writers_.list, [&](const auto& one) { return one.get() == &writer; });
}

bool Pass::behind(const GenerationWriter& writer) const {
    return !writer.positions().cover(target_);
}

/// Views at the same place, the most advanced first, so that a view that is built anew does not
/// hold back the living ones.
std::vector<Pass::Cohort> Pass::cohorts() const {
    std::vector<Cohort> all;
    for (GenerationWriter* writer : active_) {
        const auto same = std::find_if(all.begin(), all.end(), [&](const Cohort& cohort) {
            return cohort.front()->checkpoints() == writer->checkpoints();
        });
        if (same == all.end()) {
            all.push_back({writer});
        } else {
            same->push_back(writer);
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const Cohort& left, const Cohort& right) {
        return left.front()->positions().sum() > right.front()->positions().sum();
    });
    return all;
}

/// Up to where to read: the target, or where a more advanced view stands, so that the two meet.
std::int64_t Pass::last_for(const Cohort& cohort, Partition partition) const {
    const std::int64_t from = cohort.front()->positions()[partition];
    std::int64_t last = target_[partition];
    for (const GenerationWriter* other : active_) {
        const std::int64_t there = other->positions()[partition];
        if (there > from && there < last) last = there;
    }
    return last;
}

void Pass::read(const Cohort& cohort, EventBatch& batch) {
    const auto& from = cohort.front()->checkpoints();
    const Positions mine = cohort.front()->positions();
    std::vector<Partition> lagging;
    for (std::size_t number = 0; number < from.size(); ++number) {
        const Partition partition{static_cast<std::int32_t>(number)};
        if (mine[partition] < target_[partition]) lagging.push_back(partition);
    }
    if (lagging.empty()) return;
    const std::size_t events = std::max<std::size_t>(1, options_.page_events / lagging.size());
    const std::size_t bytes = std::max<std::size_t>(1, options_.page_bytes / lagging.size());
    for (const Partition partition : lagging) {
        const std::int64_t last = last_for(cohort, partition);
        const auto wanted = static_cast<std::size_t>(last - mine[partition]);
        LogPage page = log_.read(partition, mine[partition],
                                 {.max_events = std::min(events, wanted), .max_bytes = bytes});
        batch.add(partition, from[static_cast<std::size_t>(partition.value)], std::move(page), last,
                  log_.identity().id, incarnations_);
    }
}

/// Reads the next events of a cohort and gives them to its views. False when the log gave none.
bool Pass::serve(const Cohort& cohort) {
    EventBatch batch;
    try {
        read(cohort, batch);
    } catch (const Divergence&) {
        throw_if_turned();
        const std::exception_ptr broken = std::current_exception();
        for (GenerationWriter* writer : cohort) {
            guarded(*writer, [&] { std::rethrow_exception(broken); });
        }
        return true;
    }
    if (batch.empty()) return false;
    for (GenerationWriter* writer : cohort) {
        guarded(*writer, [&] {
            const Applied one = writer->apply(batch);
            applied_.events += one.events;
            applied_.transactions += one.transactions;
            applied_.parked += one.parked;
        });
    }
    return true;
}

/// Lets one generation go live that has reached the one before; false when none has.
bool Pass::swap_one() {
    for (GenerationWriter* writer : std::vector{active_}) {
        if (writer->entry().current()) continue;
        bool swapped = false;
        guarded(*writer, [&] { swapped = writer->go_live(catalogue_, heads_, incarnations_); });
        if (!swapped) continue;
        ++applied_.swapped;
        std::vector<GenerationWriter*> older;
        for (const auto& other : writers_.list) {
            if (other->view() == writer->view() && other.get() != writer)
                older.push_back(other.get());
        }
        for (GenerationWriter* one : older) drop(*one);
        return true;
    }
    return false;
}

void Pass::swap() {
    while (swap_one()) {
    }
}

/// Throws Turned when the log tells another history now than when this pass began: a copy of a
/// store that was restored turns to the new topic in the middle of a read. What did not fit the
/// history that was known is no divergence then.
void Pass::throw_if_turned() {
    const std::vector<Incarnation> now = log_.incarnations();
    if (now.back().id != incarnations_.back().id) throw Turned{};
}

/// Checkpoints are read before the heads: another projector may be beyond older heads by then.
void Pass::begin() {
    for (GenerationWriter* writer : std::vector{active_}) {
        guarded(*writer, [&] {
            if (!writer->entry().current()) {
                catalogue_.expect_wanted(writer->view(), writer->entry().generation);
            }
            writer->refresh();
        });
    }
    incarnations_ = log_.incarnations();
    heads_ = log_.heads();
    target_ = Positions{heads_.size()};
    for (std::size_t number = 0; number < heads_.size(); ++number) {
        target_.set({Partition{static_cast<std::int32_t>(number)}, heads_[number].n});
    }
    for (GenerationWriter* writer : std::vector{active_}) {
        guarded(*writer, [&] {
            try {
                writer->judge(heads_, incarnations_);
            } catch (const Divergence&) {
                throw_if_turned();
                throw;
            }
        });
    }
}

Applied Pass::run(Views views, std::stop_token stop) {
    for (const auto& writer : writers_.list) {
        if (views == Views::all || (!writer->stopped() && writer->backoff().due())) {
            active_.push_back(writer.get());
        }
    }
    while (true) {
        try {
            begin();
            follow(views, stop);
            for (GenerationWriter* writer : active_) writer->backoff().worked();
            return applied_;
        } catch (const Turned&) {
            spdlog::info("the log {} turned to the history of a restored store",
                         log_.identity().name);
        }
    }
}

/// Would some views wait for others that are far behind, as one that is new or was away?
bool Pass::some_wait_for_others() const {
    const auto is_behind = [&](const GenerationWriter* writer) { return behind(*writer); };
    return std::ranges::any_of(active_, is_behind) && !std::ranges::all_of(active_, is_behind);
}

void Pass::follow(Views views, const std::stop_token& stop) {
    Environment& environment = log_.environment();
    std::chrono::nanoseconds moved_at = environment.clock.steady();
    while (!stop.stop_requested()) {
        swap();
        bool waiting = false, moved = false;
        for (const Cohort& cohort : cohorts()) {
            if (!behind(*cohort.front())) continue;
            waiting = true;
            moved = serve(cohort) || moved;
        }
        for (GenerationWriter* writer : std::vector{active_}) {
            guarded(*writer, [&] { writer->reload_if_forgotten(); });
        }
        if (!waiting) break;
        if (moved && views == Views::due && some_wait_for_others()) {
            more_ = true;  // with newer heads, for those that are there
            break;
        }
        if (moved) {
            moved_at = environment.clock.steady();
        } else if (std::chrono::floor<Duration>(environment.clock.steady() - moved_at) >
                   options_.patience) {
            throw Unavailable("the log " + log_.identity().name +
                              " shows heads that it does not give the events of; see whether what "
                              "feeds it runs");
        } else {
            environment.scheduler.sleep(std::chrono::milliseconds{20}, stop);
        }
    }
}

}  // namespace recount::projections
