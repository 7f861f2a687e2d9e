#include "writer.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>
#include <recount/eventstore/newest_heads.hpp>

namespace recount::projections {

GenerationWriter::GenerationWriter(Context context, const ViewDefinition& definition,
                                   GenerationEntry entry,
                                   const std::vector<Incarnation>& incarnations)
    : context_(std::move(context)),
      definition_(definition),
      entry_(std::move(entry)),
      pool_(context_.place->generation(definition.name, entry_.generation, Place::Access::write)),
      handler_(Handler::make(definition)),
      moved_(moved_signal(context_.log.environment().scheduler, context_.place->key(),
                          definition.name)),
      backoff_(context_.log.environment(), context_.options),
      live_(entry_.current()) {
    const StoreIdentity& store = context_.log.identity();
    const DatabasePool::Lease lease = pool_->take();
    const auto sql = lease->begin(SqlMode::write);
    create_generation(*sql, definition_, entry_, store, incarnations.front());
    const GenerationHead head = read_head(*sql);
    require_store(head, definition.name, lease->name(), store);
    mark_ = head.stopped;
    checkpoints_ = read_checkpoints(*sql);
    held_.assign(checkpoints_.size(), false);
    remind(*sql, context_.log);
    sql->commit();
    loaded_ = true;
    loaded_at_ = context_.log.environment().clock.steady();
    publish();
}

/// A copy of the log may be behind the one that the view was fed from before.
bool GenerationWriter::log_may_lag() const {
    if (!context_.primary) return true;
    try {
        newest_heads(context_.log);
        return false;
    } catch (const Unavailable&) {
        return true;
    }
}

Positions GenerationWriter::positions() const {
    Positions positions{checkpoints_.size()};
    for (std::size_t number = 0; number < checkpoints_.size(); ++number) {
        positions.set(
            {Partition{static_cast<std::int32_t>(number)}, checkpoints_[number].position});
    }
    return positions;
}

void GenerationWriter::publish() {
    const std::scoped_lock lock{mutex_};
    published_ = positions();
}

void GenerationWriter::reload() {
    const std::chrono::nanoseconds now = context_.log.environment().clock.steady();
    const DatabasePool::Lease lease = pool_->take();
    const auto sql = lease->begin(SqlMode::snapshot);
    mark_ = read_head(*sql).stopped;
    parked_ = parked_events(*sql);
    held_.assign(checkpoints_.size(), false);
    if (auto there = read_checkpoints(*sql); there != checkpoints_) {
        checkpoints_ = std::move(there);
        remind(*sql, context_.log);
    }
    loaded_ = true;
    loaded_at_ = now;
    publish();
}

void GenerationWriter::refresh() {
    // The server of the views may have lost what it committed last, of rows and checkpoints alike:
    // a view with nothing to apply would not meet that.
    const std::chrono::nanoseconds age = context_.log.environment().clock.steady() - loaded_at_;
    if (!loaded_ || age >= context_.options.idle_wait) reload();
}

void GenerationWriter::judge(const std::vector<LogHead>& heads,
                             const std::vector<Incarnation>& incarnations) {
    held_.assign(checkpoints_.size(), false);
    for (std::size_t number = 0; number < checkpoints_.size(); ++number) {
        const Checkpoint& checkpoint = checkpoints_[number];
        const Partition partition{static_cast<std::int32_t>(number)};
        const std::string where = "view " + view() + " applied position " +
                                  to_string(Position{partition, checkpoint.position});
        if (!still_holds(
                seen(context_.log.identity().id, partition, checkpoint, checkpoints_.size()),
                incarnations)) {
            throw Divergence(where +
                             " of a history that the store lost when it was restored; ask for "
                             "a rebuild of the view");
        }
        if (heads.empty()) {
            held_[number] = checkpoint.position == 0;
            continue;
        }
        const LogHead& head = heads.at(number);
        if (head.n < checkpoint.position) {
            const std::string ends = where + ", but the log ends at " + std::to_string(head.n);
            if (log_may_lag()) throw Unavailable(ends + "; it waits for the log to come so far");
            throw Divergence(ends +
                             "; if the store was restored, declare it, then rebuild the view");
        }
        if (head.n == checkpoint.position && head.n > 0 && head.hash != checkpoint.hash) {
            throw Divergence(where + " with hash " + to_string(checkpoint.hash) +
                             ", but the log's event there has " + to_string(head.hash) +
                             "; find out which is right, then rebuild the view");
        }
        // Beyond the checkpoint only the next events tell whether the chain holds.
        held_[number] = checkpoint.position == 0 || checkpoint.position == head.n;
    }
    if (all_held()) end_stop();
}

/// Whether a page failed because it was large or because of something else is not known; one that
/// failed at once was not too large.
void GenerationWriter::note_page(const EventBatch& batch, std::chrono::nanoseconds began,
                                 bool done) {
    constexpr unsigned most_halved = 16, done_before_more = 16;
    if (done) {
        if (halved_ == 0 || ++done_since_ < done_before_more) return;
        --halved_;
        done_since_ = 0;
        return;
    }
    const auto took = context_.log.environment().clock.steady() - began;
    if (took * 2 < context_.options.timeout || batch.events().size() < 2) return;
    halved_ = std::min(halved_ + 1, most_halved);
    done_since_ = 0;
}

Applied GenerationWriter::apply(EventBatch& batch) {
    std::map<Position, std::string> poison;
    const std::chrono::nanoseconds began = context_.log.environment().clock.steady();
    while (true) {
        try {
            const Applied applied = attempt(batch, poison);
            note_page(batch, began, true);
            for (const Move& move : batch.moves()) {
                checkpoints_[static_cast<std::size_t>(move.partition.value)] = move.to;
            }
            parked_ += applied.parked;
            publish();
            moved_->raise();
            Metrics& metrics = context_.log.environment().metrics;
            metrics
                .counter("recount_projection_events_total", "Events given to a view.",
                         {{"view", view()}})
                .add(static_cast<double>(applied.events));
            return applied;
        } catch (const Poisoned& poisoned) {
            for (const Poison& found : poisoned.found) {
                spdlog::warn(
                    "view {} sets a stream aside: its event at position {} cannot be applied",
                    view(), to_string(found.position));
                poison.emplace(found.position, found.error);
            }
        } catch (const Error& error) {
            if (error.retryable()) note_page(batch, began, false);
            throw;
        }
    }
}

std::string GenerationWriter::unfit(const RecordedEvent& event) const {
    if (event.erased() && event.withheld) {  // the store has it: nothing may be told as if erased
        return "its payload was withheld by the topic; feed this view from the store";
    }
    if (event.erased() && !definition_.erased) {
        return "its payload was erased, and the view has no hook for recount::Erased";
    }
    if (definition_.category && event.at.stream.category() != *definition_.category) {
        return "its stream is not of the category " + *definition_.category + " of the view";
    }
    return {};
}

Applied GenerationWriter::attempt(EventBatch& batch,
                                  const std::map<Position, std::string>& poison) {
    const DatabasePool::Lease lease = pool_->take();
    const auto sql = lease->begin(SqlMode::write);
    // Parked events come with a move of their partition's checkpoint: when another projector parked
    // after this was read, the move that follows is fenced.
    const Taken taken = take_generation(*sql, view());
    move_checkpoints(*sql, view(), batch.moves());
    for (const Move& move : batch.moves()) {
        held_[static_cast<std::size_t>(move.partition.value)] = true;
    }
    // A mark that was not known then may tell of what came after what is held was seen.
    const bool known = taken.stopped.empty() || taken.stopped == mark_;
    if (known && !taken.stopped.empty() && all_held()) set_stopped(*sql, "");

    Parking parking{*sql, taken.any_parked};
    std::vector<std::size_t> chosen;
    bool told = false;
    for (std::size_t number = 0; number < batch.events().size(); ++number) {
        const RecordedEvent& event = batch.events()[number];
        if (handler_->hook(event) == nullptr) continue;
        const auto bad = poison.find(event.at.position);
        const std::string error = bad == poison.end() ? unfit(event) : bad->second;
        if (!parking.park(event, error)) {
            chosen.push_back(number);
        } else if (bad == poison.end() && !error.empty() && !std::exchange(told, true)) {
            // Ours: it quotes nothing. What a hook threw may.
            spdlog::warn("view {} sets events aside, here first that at position {}: {}", view(),
                         to_string(event.at.position), error);
        }
    }
    handler_->apply(*sql, batch, chosen, !poison.empty());
    parking.write(*sql, view(), context_.options.max_parked,
                  context_.log.environment().clock.now());
    sql->commit();
    if (!known) forget();
    if (known && all_held()) stop_ended();

    Applied applied;
    applied.events = static_cast<std::int64_t>(chosen.size());
    applied.transactions = 1;
    applied.parked = parking.count();
    return applied;
}

ViewStatus GenerationWriter::status() {
    ViewStatus status;
    status.view = view();
    status.version = definition_.version;
    status.generation = entry_.generation;
    {
        const std::scoped_lock lock{mutex_};
        status.live = live_;
        status.state = stopped_ ? ViewStatus::State::stopped : ViewStatus::State::running;
        status.reason = reason_;
        for (std::size_t number = 0; number < published_.values().size(); ++number) {
            PartitionStatus partition;
            partition.partition.value = static_cast<std::int32_t>(number);
            partition.position = published_.values()[number];
            status.partitions.push_back(partition);
        }
    }
    try {
        const DatabasePool::Lease lease = pool_->take();
        const auto sql = lease->begin(SqlMode::snapshot);
        // Nobody reads it any more, whether this projector has met that or not.
        if (read_head(*sql).retired) status.live = false;
        status.parked_streams = static_cast<std::int64_t>(parked_heads(*sql).size());
        status.parked_events = parked_events(*sql);
    } catch (const Error& error) {
        if (status.reason.empty()) status.reason = error.what();
    }
    return status;
}

}  // namespace recount::projections
