#include <algorithm>
#include <limits>

#include <recount/core/error.hpp>

#include "pass.hpp"

namespace recount::projections {

/// The partitions in which there may be more than that.
std::vector<Partition> Pass::lagging(const Positions& positions) const {
    std::vector<Partition> all;
    for (Partition partition; partition.value < log_.identity().partitions; ++partition.value) {
        if (out_.contains(partition)) continue;
        if (endless_.contains(partition) || positions[partition] < target_[partition]) {
            all.push_back(partition);
        }
    }
    return all;
}

bool Pass::behind(const GenerationWriter& writer) const {
    return !lagging(writer.positions()).empty();
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
    std::int64_t last = endless_.contains(partition) ? std::numeric_limits<std::int64_t>::max()
                                                     : target_[partition];
    for (const GenerationWriter* other : active_) {
        const std::int64_t there = other->positions()[partition];
        if (there > from && there < last) last = there;
    }
    return last;
}

/// A page; nothing when the partition is left out from now on. One that cannot be read says nothing
/// of the others; two of which the first is the first of all that were tried speak of the log.
std::optional<LogPage> Pass::read_one(Partition partition, std::int64_t after,
                                      const ReadLog& options) {
    Clock& clock = log_.environment().clock;
    const std::chrono::nanoseconds began = clock.steady();
    try {
        LogPage page = log_.read(partition, after, options);
        outages_.worked(partition);
        gave_ = true;
        return page;
    } catch (const Error& error) {
        if (!error.retryable()) throw;
        const bool second = left_out_ != nullptr;
        outages_.failed(partition, std::chrono::ceil<Duration>(clock.steady() - began),
                        error.what());
        out_.insert(partition);
        if (!left_out_) left_out_ = std::current_exception();
        if (!gave_ && (second || log_.identity().partitions == 1)) throw;
        return std::nullopt;
    }
}

void Pass::read(const Cohort& cohort, EventBatch& batch) {
    const auto& from = cohort.front()->checkpoints();
    const Positions mine = cohort.front()->positions();
    const std::vector<Partition> lagging = this->lagging(mine);
    if (lagging.empty()) return;
    std::size_t most = options_.page_events;
    for (const GenerationWriter* writer : cohort) {
        most = std::min(most, writer->page(options_.page_events));
    }
    const std::size_t events = std::max<std::size_t>(1, most / lagging.size());
    const std::size_t bytes = std::max<std::size_t>(1, options_.page_bytes / lagging.size());
    for (const Partition partition : lagging) {
        const std::int64_t last = last_for(cohort, partition);
        const auto wanted = static_cast<std::size_t>(last - mine[partition]);
        std::optional<LogPage> page =
            read_one(partition, mine[partition],
                     {.max_events = std::min(events, wanted), .max_bytes = bytes});
        if (!page) continue;
        if (page->end && endless_.erase(partition) > 0) target_.set({partition, page->upto});
        batch.add(partition, from[static_cast<std::size_t>(partition.value)], std::move(*page),
                  last, log_.identity().id, incarnations_);
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

/// Whom the log does not give what its heads show is looked at again when it has more.
void Pass::note_seen() {
    seen_ = target_;
    if (active_.empty()) return;
    for (Partition partition; partition.value < log_.identity().partitions; ++partition.value) {
        if (out_.contains(partition)) {
            seen_.set({partition, std::numeric_limits<std::int64_t>::max()});
            continue;
        }
        std::int64_t there = 0;
        for (const GenerationWriter* writer : active_) {
            there = std::max(there, writer->positions()[partition]);
        }
        seen_.set({partition, there});
        if (there < target_[partition]) {
            outages_.missing({partition, there}, target_[partition]);
        } else {
            outages_.complete(partition);
        }
    }
}

}  // namespace recount::projections
