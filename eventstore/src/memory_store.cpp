#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "import_plan.hpp"
#include "memory_outcomes.hpp"
#include "memory_schemas.hpp"
#include "memory_snapshots.hpp"
#include "store_base.hpp"
#include "stores.hpp"

namespace recount {
namespace {

/// The store that is gone with its object: for tests and for trying things out. It keeps what the
/// others keep, as the same bytes.
class MemoryStore final : public StoreBase {
public:
    explicit MemoryStore(const StoreOptions& options)
        : StoreBase(std::string{memory_url}, options), appended_(environment_.scheduler.signal()) {
        identity_ = new_identity(options.partitions.value_or(16), url(), environment_);
        incarnations_ = {first_incarnation(identity_, environment_.clock.now())};
        heads_ = living_origins(identity_, incarnations_);
        context_ = {identity_, heads_,
                    [this](std::string_view type) { return schemas_.revision_of(type); }};
        partitions_.resize(static_cast<std::size_t>(identity_.partitions));
    }

    std::vector<Incarnation> incarnations() override { return incarnations_; }

    std::optional<CommandOutcome> find_outcome(std::string_view command_id) override {
        const std::lock_guard lock{mutex_};
        return outcomes_.find(command_id);
    }

    CommandOutcome void_command(std::string_view command_id) override {
        check_command_id(command_id);
        const std::lock_guard lock{mutex_};
        if (auto first = outcomes_.find(command_id)) return *std::move(first);
        if (expired(command_id, horizon_)) {
            throw CommandExpired(expired_message(command_id, horizon_));
        }
        CommandOutcome outcome = voided_outcome(command_id, identity_, environment_.clock.now());
        outcomes_.put(command_id, encode(outcome));
        return outcome;
    }

    SnapshotPage read_snapshot(const StreamName& stream, std::string_view type, std::int64_t fold,
                               ReadStream options) override;

    std::vector<LogHead> heads() override {
        const std::lock_guard lock{mutex_};
        return heads_;
    }

    bool wait(const Positions& seen, Duration at_most, std::stop_token stop) override;

    std::optional<std::string> schema(std::string_view type, std::uint32_t revision) override {
        const std::lock_guard lock{mutex_};
        return schemas_.find(type, revision);
    }

protected:
    StreamPage read_stream_page(const StreamName& stream, const ReadStream& options) override;
    LogPage read_log_page(Partition partition, std::int64_t after, const ReadLog& options) override;
    std::vector<AppendResult> append_checked(std::span<const Append> appends) override;
    AppendResult import_chunk(const ImportChunk& chunk, StagedChunk*) override;
    std::vector<StreamHead> list_names(const NameRange& range, std::size_t limit) override;
    std::int64_t erase_some(const StreamName& stream, const Erasure& what) override;
    bool has_snapshot(const StreamName& stream, Version at_least) override {
        return snapshots_.has(stream, at_least);
    }
    void put_snapshot(const StreamName& stream, const Snapshot& snapshot) override {
        const std::lock_guard lock{mutex_};
        const auto* positions = stream_of(stream.full());
        snapshots_.put(stream, snapshot, [&](Version version) -> std::optional<RecordedEvent> {
            const auto index = static_cast<std::size_t>(version.value - 1);
            if (positions == nullptr || index >= positions->size()) return {};
            return event_at((*positions)[index]);
        });
    }
    Timestamp raise_horizon(Timestamp horizon) override;
    void forget_outcomes(const std::vector<std::string_view>& command_ids) override {
        const std::lock_guard lock{mutex_};
        outcomes_.forget(command_ids, horizon_);
    }
    std::vector<OutcomeRow> outcome_rows(std::string_view after, std::size_t limit, bool) override {
        const std::lock_guard lock{mutex_};
        return outcomes_.page(after, limit);
    }
    std::vector<RevisionRow> revision_rows() override {
        const std::lock_guard lock{mutex_};
        return schemas_.rows();
    }
    std::vector<EventColumns> event_columns(Partition, std::int64_t, std::size_t) override {
        return {};
    }

private:
    struct Row {
        std::string envelope;
        Hash hash;
        std::optional<std::string> salt, payload;  // nothing: erased
    };
    static constexpr std::string_view memory_url = "memory:";

    [[nodiscard]] std::vector<Row>& rows_of(Partition partition) {
        return partitions_[static_cast<std::size_t>(partition.value)];
    }

    [[nodiscard]] LogHead& head_of(Partition partition) {
        return heads_[static_cast<std::size_t>(partition.value)];
    }

    [[nodiscard]] RecordedEvent event_at(const Position& position) {
        const Row& row = rows_of(position.partition)[static_cast<std::size_t>(position.n - 1)];
        return recorded_event({position, row.envelope, row.hash.view(), row.salt, row.payload});
    }

    [[nodiscard]] std::vector<Position>* stream_of(std::string_view stream) {
        const auto found = streams_.find(stream);
        return found == streams_.end() ? nullptr : &found->second;
    }

    std::vector<AppendResult> write(const Touched& touched,
                                    const std::function<AppendPlan(const KnownState&)>& plan_on);
    KnownState known_of(const Touched& touched);
    void keep(AppendPlan& plan);

    std::vector<Incarnation> incarnations_;
    PlanContext context_;
    std::unique_ptr<Signal> appended_;
    std::mutex mutex_;
    std::vector<std::vector<Row>> partitions_;
    std::vector<LogHead> heads_;
    std::map<std::string, std::vector<Position>, std::less<>> streams_;
    std::set<std::string, std::less<>> closed_;
    MemorySnapshots snapshots_;
    MemoryOutcomes outcomes_;
    Timestamp horizon_;
    MemorySchemas schemas_;
};

std::vector<AppendResult> MemoryStore::append_checked(std::span<const Append> appends) {
    const auto group = pointers_to(appends);
    const Touched touched = touched_by(group, identity_.partitions);
    return write(touched, [&](const KnownState& known) {
        return plan_append(group, touched, known, context_, environment_.clock.now(),
                           environment_.random);
    });
}

AppendResult MemoryStore::import_chunk(const ImportChunk& chunk, StagedChunk*) {
    const auto plan_on = [&](const KnownState& known) {
        return plan_import(chunk, known, context_, environment_.clock.now(), environment_.random);
    };
    return std::move(write(chunk.touched, plan_on).front());
}

std::vector<AppendResult> MemoryStore::write(
    const Touched& touched, const std::function<AppendPlan(const KnownState&)>& plan_on) {
    std::unique_lock lock{mutex_};
    AppendPlan plan = plan_on(known_of(touched));
    keep(plan);
    lock.unlock();
    if (!plan.events.empty()) appended_->raise();
    return std::move(plan.results);
}

KnownState MemoryStore::known_of(const Touched& touched) {
    KnownState known = KnownState::for_all(touched);
    for (std::size_t i = 0; i < touched.partitions.size(); ++i) {
        known.heads[i] = head_of(touched.partitions[i]);
    }
    for (std::size_t i = 0; i < touched.streams.size(); ++i) {
        const auto* stream = stream_of(touched.streams[i]);
        if (stream != nullptr) known.versions[i].value = static_cast<std::int64_t>(stream->size());
        known.closed[i] = closed_.contains(touched.streams[i]);
    }
    for (std::size_t i = 0; i < touched.command_ids.size(); ++i) {
        known.outcomes[i] = outcomes_.find(touched.command_ids[i]);
    }
    known.horizon = horizon_;
    return known;
}

void MemoryStore::keep(AppendPlan& plan) {
    for (PlannedEvent& event : plan.events) {
        rows_of(event.position.partition)
            .push_back({std::move(event.envelope), event.hash, std::move(event.salt),
                        std::string{event.payload}});
        streams_[std::string{event.stream}].push_back(event.position);
    }
    for (const PlannedHead& grown : plan.heads) head_of(grown.partition) = grown.head;
    for (const PlannedVersion& grown : plan.versions) {
        if (grown.closed) closed_.emplace(grown.stream);
    }
    for (PlannedOutcome& outcome : plan.outcomes) {
        outcomes_.put(outcome.command_id, std::move(outcome.bytes));
    }
}

std::vector<StreamHead> MemoryStore::list_names(const NameRange& range, std::size_t limit) {
    const std::lock_guard lock{mutex_};
    std::vector<StreamHead> page;
    for (auto each = streams_.upper_bound(range.after); each != streams_.end(); ++each) {
        if (page.size() == limit || (range.before && each->first >= *range.before)) break;
        page.push_back({StreamName::trusted(each->first),
                        Version{static_cast<std::int64_t>(each->second.size())},
                        closed_.contains(each->first)});
    }
    return page;
}

std::int64_t MemoryStore::erase_some(const StreamName& stream, const Erasure& what) {
    const std::lock_guard lock{mutex_};
    const auto& positions = *stream_of(stream.full());
    std::int64_t erased = 0;
    for (std::int64_t version = what.first.value; version <= what.last.value; ++version) {
        const Position& at = positions[static_cast<std::size_t>(version - 1)];
        Row& row = rows_of(at.partition)[static_cast<std::size_t>(at.n - 1)];
        if (row.payload) ++erased;
        row.payload = row.salt = std::nullopt;
    }
    snapshots_.erase(stream, what);
    return erased;
}

Timestamp MemoryStore::raise_horizon(Timestamp horizon) {
    const std::lock_guard lock{mutex_};
    return horizon_ = std::max(horizon_, horizon);
}

StreamPage MemoryStore::read_stream_page(const StreamName& stream, const ReadStream& options) {
    const std::lock_guard lock{mutex_};
    StreamPage page;
    const auto* positions = stream_of(stream.full());
    if (positions != nullptr) page.head.value = static_cast<std::int64_t>(positions->size());
    page.closed = closed_.contains(stream.full());
    page.erasures = snapshots_.erasures(stream);
    const bool forwards = options.direction == Direction::forwards;
    std::int64_t version = forwards ? std::max<std::int64_t>(options.from.value, 1)
                                    : std::min(options.from.value, page.head.value);
    PageLimit limit{options.max_events, options.max_bytes};
    for (; version >= 1 && version <= page.head.value; version += forwards ? 1 : -1) {
        RecordedEvent event = event_at((*positions)[static_cast<std::size_t>(version - 1)]);
        if (!limit.take(event)) return page;
        check_row(event, stream, Version{version});
        page.events.push_back(std::move(event));
    }
    page.end = true;
    return page;
}

SnapshotPage MemoryStore::read_snapshot(const StreamName& stream, std::string_view type,
                                        std::int64_t fold, ReadStream options) {
    SnapshotPage found{snapshots_.find(stream, type), {}};
    options.from = first_of(found.snapshot, fold);
    found.page = read_stream_page(stream, options);
    return found;
}

LogPage MemoryStore::read_log_page(Partition partition, std::int64_t after,
                                   const ReadLog& options) {
    const std::lock_guard lock{mutex_};
    LogPage page;
    const auto head = static_cast<std::int64_t>(rows_of(partition).size());
    if (after > head) missing_event(Position{partition, after}, identity_.name);
    PageLimit limit{options.max_events, options.max_bytes};
    for (std::int64_t n = after + 1; n <= head; ++n) {
        RecordedEvent event = event_at(Position{partition, n});
        if (!limit.take(event)) return page;
        page.events.push_back(std::move(event));
    }
    page.end = true;
    return page;
}

bool MemoryStore::wait(const Positions& seen, Duration at_most, std::stop_token stop) {
    return wait_until(*appended_, {environment_, at_most}, stop, [&] {
        const std::lock_guard lock{mutex_};
        return any_beyond(heads_, seen);
    });
}

}  // namespace

std::unique_ptr<EventStore> open_memory_store(const StoreOptions& options) {
    return std::make_unique<MemoryStore>(options);
}

}  // namespace recount
