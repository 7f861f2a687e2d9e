#include "pass.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include <recount/core/error.hpp>

namespace recount::projections {

Pass::Pass(const Parts& parts)
    : log_(parts.log),
      primary_(parts.primary),
      options_(parts.options),
      catalogue_(parts.catalogue),
      writers_(parts.writers),
      outages_(parts.outages) {}

/// An error of one view is that view's alone. Nothing is begun any more once the pass is to end:
/// each view may wait for a silent database as long as a statement may take.
void Pass::guarded(GenerationWriter& writer, const std::function<void()>& run) {
    if (stop_.stop_requested()) return;
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

/// What is to be reached. A copy of a log holds what it holds although nobody tells it how far the
/// log has come; a store that does not tell its heads gives nothing else either.
void Pass::aim() {
    incarnations_ = log_.incarnations();
    endless_.clear();
    heads_unknown_ = nullptr;
    try {
        heads_ = log_.heads();
    } catch (const Unavailable&) {
        if (primary_) throw;
        heads_.clear();
        heads_unknown_ = std::current_exception();
    }
    const std::int32_t partitions = log_.identity().partitions;
    target_ = Positions{static_cast<std::size_t>(partitions)};
    for (Partition partition; partition.value < partitions; ++partition.value) {
        if (heads_unknown_) {
            endless_.insert(partition);
        } else {
            target_.set({partition, heads_.at(static_cast<std::size_t>(partition.value)).n});
        }
    }
}

/// Checkpoints are read before the heads: another projector may be beyond older heads by then.
void Pass::begin(Views views) {
    for (GenerationWriter* writer : std::vector{active_}) {
        guarded(*writer, [&] {
            if (!writer->entry().current()) {
                catalogue_.expect_wanted(writer->view(), writer->entry().generation);
            }
            writer->refresh();
        });
    }
    if (stop_.stop_requested()) return;
    aim();
    out_.clear();
    for (Partition partition; partition.value < log_.identity().partitions; ++partition.value) {
        if (views == Views::due && !outages_.due(partition)) out_.insert(partition);
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
    stop_ = std::move(stop);
    for (const auto& writer : writers_.list) {
        if (views == Views::all || (!writer->stopped() && writer->backoff().due())) {
            active_.push_back(writer.get());
        }
    }
    while (true) {
        try {
            begin(views);
            if (stop_.stop_requested()) return applied_;
            follow(views);
            note_seen();
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

void Pass::follow(Views views) {
    Environment& environment = log_.environment();
    std::chrono::nanoseconds moved_at = environment.clock.steady();
    while (!stop_.stop_requested()) {
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
        } else if (views == Views::due) {
            break;  // run() waits until the log has more; meanwhile others may move
        } else if (std::chrono::floor<Duration>(environment.clock.steady() - moved_at) >
                   options_.patience) {
            throw Unavailable("the log " + log_.identity().name +
                              (heads_unknown_
                                   ? " gives no more events, and does not say that it ends"
                                   : " shows heads that it does not give the events of") +
                              "; see whether what feeds it runs");
        } else {
            environment.scheduler.sleep(std::chrono::milliseconds{20}, stop_);
        }
    }
}

}  // namespace recount::projections
