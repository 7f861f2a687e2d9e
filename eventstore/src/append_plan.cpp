#include "append_plan.hpp"

#include <recount/core/envelope.hpp>
#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include <algorithm>
#include <utility>

#include "retention.hpp"

namespace recount {
namespace {

constexpr std::size_t salt_bytes = 16;

std::size_t count_events(AppendGroup group) {
    std::size_t count = 0;
    for (const Append* append : group) {
        for (const StreamWrite& write : append->writes) count += write.events.size();
    }
    return count;
}

/// The state of the log while a group is decided on it.
class Planner {
public:
    Planner(AppendGroup group, const Touched& touched, const KnownState& known,
            const PlanContext& context, Timestamp now, Random& random)
        : touched_(touched),
          known_(known),
          context_(context),
          now_(now),
          heads_(known.heads),
          versions_(known.versions),
          closed_(known.closed),
          outcomes_(touched.command_ids.size(), nullptr),
          salts_(count_events(group) * salt_bytes, '\0') {
        for (std::size_t i = 0; i < known.outcomes.size(); ++i) {
            if (known.outcomes[i]) outcomes_[i] = &*known.outcomes[i];
        }
        // One call for the whole group: a system call costs more than the bytes.
        if (!salts_.empty()) {
            random.fill({reinterpret_cast<std::uint8_t*>(salts_.data()), salts_.size()});
        }
        plan_.events.reserve(salts_.size() / salt_bytes);
        plan_.outcomes.reserve(group.size());
        plan_.results.reserve(group.size());  // outcomes_ points into it
    }

    AppendPlan run(AppendGroup group) {
        for (const Append* append : group) decide(*append);
        collect_changes();
        return std::move(plan_);
    }

private:
    void decide(const Append& append) {
        const CommandOutcome*& first =
            outcomes_[touched_.index_of_command(append.metadata.command_id)];
        AppendResult& result = plan_.results.emplace_back();
        if (first != nullptr) {
            result = repeated(*first, append.request);
            return;
        }
        if (expired(append.metadata.command_id, known_.horizon)) {
            result.kind = AppendResult::Kind::expired;
            result.message = expired_message(append.metadata.command_id, known_.horizon);
            return;
        }
        check(append, result.conflict);
        if (!result.conflict.failed.empty()) {
            judge(append, result);
            return;
        }
        result.kind = AppendResult::Kind::committed;
        result.outcome = append.writes.empty() ? record_decision(append) : record_events(append);
        first = &*result.outcome;
        plan_.outcomes.push_back({append.metadata.command_id, result.outcome->kind,
                                  result.outcome->recorded_at, encode(*result.outcome)});
    }

    bool committed_here(std::string_view command_id) const {
        const auto& ids = touched_.command_ids;
        const auto found = std::lower_bound(ids.begin(), ids.end(), command_id);
        if (found == ids.end() || *found != command_id) return false;
        const auto i = static_cast<std::size_t>(found - ids.begin());
        return outcomes_[i] != nullptr && !known_.outcomes[i];
    }

    static void judge(const Append& append, AppendResult& result) {
        result.kind = AppendResult::Kind::conflict;
        const auto& failed = result.conflict.failed;
        const bool closed = std::any_of(failed.begin(), failed.end(),
                                        [](const FailedCheck& check) { return check.closed; });
        if (!closed) return;
        result.kind = AppendResult::Kind::closed;
        result.message = "append " + append.metadata.command_id + ": " +
                         to_string(result.conflict) +
                         "; nothing can be appended to it any more: begin another stream";
    }

    void check(const Append& append, Conflict& conflict) {
        written_.clear();
        // Whatever the versions are: the state that it was decided on is not there.
        orphaned_ = !append.follows.empty() && !committed_here(append.follows);
        for (const StreamWrite& write : append.writes) {
            const std::size_t index = touched_.index_of_stream(write.stream.full());
            written_.push_back(index);
            if (closed_[index]) {
                conflict.failed.push_back({write.stream, write.expected, versions_[index], true});
            } else {
                check(write.stream, index, write.expected, conflict);
            }
        }
        for (const StreamCheck& wanted : append.checks) {
            check(wanted.stream, touched_.index_of_stream(wanted.stream.full()), wanted.expected,
                  conflict);
        }
    }

    void check(const StreamName& stream, std::size_t index, const Expected& expected,
               Conflict& conflict) const {
        if (!orphaned_ && expected.holds(versions_[index])) return;
        conflict.failed.push_back({stream, expected, versions_[index], false});
    }

    CommandOutcome begin_outcome(const Append& append, CommandOutcome::Kind kind) const {
        CommandOutcome outcome;
        outcome.command_id = append.metadata.command_id;
        outcome.kind = kind;
        outcome.request = append.request;
        outcome.recorded_at = now_;
        outcome.reached.store = context_.identity.id;
        outcome.reached.incarnation = context_.identity.incarnation;
        return outcome;
    }

    /// Nothing or a refusal: reached is what the decision had seen.
    CommandOutcome record_decision(const Append& append) const {
        CommandOutcome outcome =
            begin_outcome(append, append.rejection ? CommandOutcome::Kind::refused
                                                   : CommandOutcome::Kind::nothing);
        if (append.rejection) outcome.rejection = *append.rejection;
        for (const StreamCheck& seen : append.checks) {
            const Partition partition = partition_of(seen.stream, context_.identity.partitions);
            const LogHead& head = heads_[touched_.index_of(partition)];
            outcome.recorded_at = std::max(outcome.recorded_at, head.recorded_at);
            outcome.reached.positions.raise(Position{partition, head.n});
        }
        return outcome;
    }

    CommandOutcome record_events(const Append& append) {
        CommandOutcome outcome = begin_outcome(append, CommandOutcome::Kind::events);
        begin_envelopes(append);
        for (std::size_t i = 0; i < append.writes.size(); ++i) {
            const StreamWrite& write = append.writes[i];
            const Partition partition = partition_of(write.stream, context_.identity.partitions);
            LogHead& head = heads_[touched_.index_of(partition)];
            const Version before = versions_[written_[i]];

            StreamAppended& appended = outcome.streams.emplace_back();
            appended.stream = write.stream;
            appended.first = Version{before.value + 1};
            appended.first_position = Position{partition, head.n + 1};
            envelope_.stream = write.stream;
            for (const NewEvent& event : write.events) record(event, written_[i], partition, head);
            closed_[written_[i]] = write.events.back().type == stream_closed_type;
            appended.last = versions_[written_[i]];
            outcome.recorded_at = std::max(outcome.recorded_at, head.recorded_at);
            outcome.reached.positions.raise(Position{partition, head.n});
        }
        return outcome;
    }

    /// What the envelopes of one append share. One object for the whole group: its strings keep
    /// their memory.
    void begin_envelopes(const Append& append) {
        const CommandMetadata& metadata = append.metadata;
        std::size_t count = 0;
        for (const StreamWrite& write : append.writes) count += write.events.size();
        envelope_.append_id = metadata.command_id;
        envelope_.append_index = 0;
        envelope_.append_count = static_cast<std::uint32_t>(count);
        envelope_.correlation_id = metadata.correlation_id;
        envelope_.causation_id = metadata.causation_id;
        envelope_.traceparent = metadata.traceparent;
        envelope_.headers = metadata.headers;
        envelope_.after = append.after;
        occurred_at_ = metadata.occurred_at;
    }

    void record(const NewEvent& event, std::size_t stream, Partition partition, LogHead& head) {
        PlannedEvent& row = plan_.events.emplace_back();
        row.salt.assign(salts_, (plan_.events.size() - 1) * salt_bytes, salt_bytes);
        row.payload = event.payload;
        row.stream = touched_.streams[stream];
        row.stream_index = stream;
        row.type = event.type;

        row.version = Version{++versions_[stream].value};
        envelope_.event_id = event_id(envelope_.append_id, envelope_.append_index);
        envelope_.schema_revision = context_.revision_of(event.type);
        envelope_.encoding = event.encoding;
        place_event(row, envelope_, {partition, head, context_, now_}, occurred_at_);
        ++envelope_.append_index;
    }

    void collect_changes() {
        for (std::size_t i = 0; i < heads_.size(); ++i) {
            if (heads_[i].n == known_.heads[i].n) continue;
            plan_.heads.push_back({touched_.partitions[i], known_.heads[i], heads_[i]});
        }
        for (std::size_t i = 0; i < versions_.size(); ++i) {
            if (versions_[i] == known_.versions[i]) continue;
            plan_.versions.push_back(
                {touched_.streams[i], i, known_.versions[i], versions_[i], closed_[i]});
        }
    }

    const Touched& touched_;
    const KnownState& known_;
    const PlanContext& context_;
    Timestamp now_;
    std::vector<LogHead> heads_;
    std::vector<Version> versions_;
    std::vector<bool> closed_;
    std::vector<const CommandOutcome*> outcomes_;
    bool orphaned_ = false;             // the append at hand, by what it follows
    std::vector<std::size_t> written_;  // by the append at hand: where its streams stand
    std::string salts_;
    Envelope envelope_;
    std::optional<Timestamp> occurred_at_;
    AppendPlan plan_;
};

}  // namespace

KnownState KnownState::for_all(const Touched& touched) {
    KnownState known;
    known.heads.resize(touched.partitions.size());
    known.versions.resize(touched.streams.size());
    known.closed.resize(touched.streams.size());
    known.outcomes.resize(touched.command_ids.size());
    return known;
}

std::vector<LogHead> living_origins(const StoreIdentity& identity,
                                    const std::vector<Incarnation>& incarnations) {
    const Incarnation& living = incarnations.back();
    std::vector<LogHead> origins(static_cast<std::size_t>(identity.partitions));
    for (std::int32_t i = 0; i < identity.partitions; ++i) {
        const auto index = static_cast<std::size_t>(i);
        if (index < living.forks.size()) origins[index] = living.forks[index];
        origins[index].hash = living.origin(identity.id, Partition{i});
    }
    return origins;
}

void place_event(PlannedEvent& row, Envelope& envelope, const LogEnd& end,
                 const std::optional<Timestamp>& occurred_at) {
    LogHead& head = end.head;
    const LogHead& origin = end.context.origins[static_cast<std::size_t>(end.partition.value)];
    const Hash& before = head.n == origin.n ? origin.hash : head.hash;
    head.recorded_at = std::max(end.now, head.recorded_at);
    row.position = Position{end.partition, ++head.n};

    envelope.version = row.version;
    envelope.type = row.type;
    envelope.payload_digest = payload_digest(row.salt, row.payload);
    envelope.recorded_at = head.recorded_at;
    envelope.occurred_at = occurred_at.value_or(head.recorded_at);
    row.envelope = encode(envelope);
    row.hash = chain_hash(row.position, before, row.envelope);
    head.hash = row.hash;
}

void require_no_step_back(const std::string& store, Partition partition, const LogHead& seen,
                          const LogHead& now) {
    if (now.n > seen.n || (now.n == seen.n && now.hash == seen.hash)) return;
    const std::string there =
        now.n < seen.n ? to_string(Position{partition, now.n}) : "there with another hash";
    throw Divergence(store + " ended at " + to_string(Position{partition, seen.n}) +
                     " and now ends at " + there +
                     ": it was put back to an earlier state, and nothing is appended; look, run "
                     "`recount store declare-restored`, then open it again");
}

AppendPlan plan_append(AppendGroup group, const Touched& touched, const KnownState& known,
                       const PlanContext& context, Timestamp now, Random& random) {
    return Planner{group, touched, known, context, now, random}.run(group);
}

}  // namespace recount
