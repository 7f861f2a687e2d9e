#include "import_plan.hpp"

#include <recount/core/envelope.hpp>
#include <recount/core/ids.hpp>

#include <algorithm>
#include <utility>

namespace recount {
namespace {

constexpr std::size_t salt_bytes = 16;

}  // namespace

std::optional<AppendResult> refuse_chunk(const ImportChunk& chunk, const KnownState& known) {
    if (known.outcomes.front()) return repeated(*known.outcomes.front(), chunk.request);
    AppendResult result;
    for (std::size_t i = 0; i < chunk.before.size(); ++i) {
        if (known.versions[i] == chunk.before[i] && !known.closed[i]) continue;
        result.conflict.failed.push_back(
            {StreamName::trusted(std::string{chunk.touched.streams[i]}),
             Expected::exactly(chunk.before[i]), known.versions[i], known.closed[i]});
    }
    if (result.conflict.failed.empty()) return {};
    result.kind = AppendResult::Kind::conflict;
    return result;
}

ImportPlanner::ImportPlanner(const ImportChunk& chunk, const KnownState& known,
                             const PlanContext& context, Timestamp now, Random& random)
    : chunk_(chunk),
      context_(context),
      now_(now),
      before_(known.heads),
      heads_(known.heads),
      versions_(chunk.before),
      first_(chunk.before.size()),
      closed_(chunk.before.size()),
      salts_(chunk.events.size() * salt_bytes, '\0') {
    random.fill({reinterpret_cast<std::uint8_t*>(salts_.data()), salts_.size()});
    for (const std::string_view type : chunk.touched.types) {
        revisions_.push_back(context.revision_of(type));
    }
    envelope_.append_id = chunk.command_id;
    envelope_.append_count = static_cast<std::uint32_t>(chunk.events.size());
}

bool ImportPlanner::next(PlannedEvent& row) {
    if (made_ == chunk_.events.size()) return false;
    const ImportedEvent& event = chunk_.events[made_];
    const CommandMetadata& metadata = event.metadata;
    row.stream_index = chunk_.stream[made_];
    row.stream = chunk_.touched.streams[row.stream_index];
    row.version = Version{++versions_[row.stream_index].value};
    row.type = event.event.type;
    row.salt.assign(salts_, made_ * salt_bytes, salt_bytes);
    row.payload = event.event.payload;

    envelope_.stream = event.stream;
    envelope_.append_index = static_cast<std::uint32_t>(made_);
    envelope_.event_id =
        event.id ? *event.id : event_id(envelope_.append_id, envelope_.append_index);
    envelope_.schema_revision = revisions_[chunk_.type[made_]];
    envelope_.encoding = event.event.encoding;
    envelope_.correlation_id = metadata.correlation_id;
    envelope_.causation_id = metadata.causation_id;
    envelope_.traceparent = metadata.traceparent;
    envelope_.headers = metadata.headers;

    const std::size_t at = chunk_.partition[row.stream_index];
    place_event(row, envelope_, {chunk_.touched.partitions[at], heads_[at], context_, now_},
                metadata.occurred_at);
    closed_[row.stream_index] = row.type == stream_closed_type;
    if (first_[row.stream_index].n == 0) first_[row.stream_index] = row.position;
    ++made_;
    return true;
}

AppendPlan ImportPlanner::finish() {
    AppendPlan plan;
    CommandOutcome outcome;
    outcome.command_id = chunk_.command_id;
    outcome.kind = CommandOutcome::Kind::events;
    outcome.request = chunk_.request;
    outcome.recorded_at = now_;
    outcome.reached.store = context_.identity.id;
    outcome.reached.incarnation = context_.identity.incarnation;
    for (std::size_t i = 0; i < heads_.size(); ++i) {
        const Partition partition = chunk_.touched.partitions[i];
        plan.heads.push_back({partition, before_[i], heads_[i]});
        outcome.recorded_at = std::max(outcome.recorded_at, heads_[i].recorded_at);
        outcome.reached.positions.raise(Position{partition, heads_[i].n});
    }
    for (std::size_t i = 0; i < versions_.size(); ++i) {
        const std::string_view stream = chunk_.touched.streams[i];
        const Version before = chunk_.before[i];
        plan.versions.push_back({stream, i, before, versions_[i], closed_[i]});
        outcome.streams.push_back({StreamName::trusted(std::string{stream}),
                                   Version{before.value + 1}, versions_[i], first_[i]});
    }
    plan.outcomes.push_back(
        {chunk_.command_id, outcome.kind, outcome.recorded_at, encode(outcome)});
    AppendResult& result = plan.results.emplace_back();
    result.kind = AppendResult::Kind::committed;
    result.outcome = std::move(outcome);
    return plan;
}

AppendPlan plan_import(const ImportChunk& chunk, const KnownState& known,
                       const PlanContext& context, Timestamp now, Random& random) {
    AppendPlan plan;
    if (auto refused = refuse_chunk(chunk, known)) {
        plan.results.push_back(std::move(*refused));
        return plan;
    }
    ImportPlanner planner{chunk, known, context, now, random};
    std::vector<PlannedEvent> rows(chunk.events.size());
    for (PlannedEvent& row : rows) planner.next(row);
    plan = planner.finish();
    plan.events = std::move(rows);
    return plan;
}

}  // namespace recount
