#include <algorithm>

#include "import_plan.hpp"
#include "sqlite_store_writer.hpp"

namespace recount {

/// All rows of a chunk, made by whoever does not write.
struct SqliteWriter::StagedRows final : StagedChunk {
    StagedRows(const ImportChunk& chunk, const PlanContext& planning, const Ground& ground,
               Environment& environment)
        : heads(ground.heads), revisions(ground.revisions) {
        KnownState known = KnownState::for_all(chunk.touched);
        for (std::size_t i = 0; i < chunk.touched.partitions.size(); ++i) {
            known.heads[i] = head_of(chunk.touched.partitions[i]);
        }
        const PlanContext context{
            planning.identity, planning.origins,
            [this](std::string_view type) { return revisions.find(type)->second; }};
        ImportPlanner planner{chunk, known, context, environment.clock.now(), environment.random};
        rows.resize(chunk.events.size());
        for (PlannedEvent& row : rows) planner.next(row);
        plan = planner.finish();
        for (const PlannedHead& grown : plan.heads) head_of(grown.partition) = grown.head;
        made_on = std::move(known.heads);
    }

    LogHead& head_of(Partition partition) {
        return heads[static_cast<std::size_t>(partition.value)];
    }

    std::vector<LogHead> heads;    // of all partitions behind it
    Ground::Revisions revisions;   // of the types of the chunk, and of those before it
    std::vector<LogHead> made_on;  // of the partitions of the chunk
    std::vector<PlannedEvent> rows;
    AppendPlan plan;  // without them
};

SqliteWriter::Ground SqliteWriter::ground_for(const ImportChunk& chunk) {
    committed([&] {
        forget_if_others_wrote();
        register_types(chunk.touched);
        return AppendPlan{};
    });
    Ground ground;
    for (std::int32_t i = 0; i < context_.identity.partitions; ++i) {
        ground.heads.push_back(read_head(Partition{i}));
    }
    for (const std::string_view type : chunk.touched.types) {
        ground.revisions.emplace(type, types_.find(type)->second.revision);
    }
    return ground;
}

std::unique_ptr<StagedChunk> SqliteWriter::stage(const ImportChunk& chunk,
                                                 const Ground& ground) const {
    return std::make_unique<StagedRows>(chunk, context_, ground, environment_);
}

std::unique_ptr<StagedChunk> SqliteWriter::stage_behind(const ImportChunk& chunk,
                                                        const StagedChunk& before) const {
    const auto& earlier = static_cast<const StagedRows&>(before);
    const auto& types = chunk.touched.types;
    const bool known = std::all_of(types.begin(), types.end(), [&](std::string_view type) {
        return earlier.revisions.find(type) != earlier.revisions.end();
    });
    if (!known) return {};
    return stage(chunk, {earlier.heads, earlier.revisions});
}

AppendPlan SqliteWriter::import_chunk(const ImportChunk& chunk, StagedChunk* staged) {
    return committed([&] { return import_locked(chunk, static_cast<StagedRows*>(staged)); });
}

AppendPlan SqliteWriter::import_locked(const ImportChunk& chunk, StagedRows* staged) {
    forget_if_others_wrote();
    const KnownState known = read_known(chunk.touched);
    if (auto refused = refuse_chunk(chunk, known)) {
        AppendPlan nothing;
        nothing.results.push_back(std::move(*refused));
        return nothing;
    }
    register_types(chunk.touched);
    AppendPlan plan;
    std::string_view type;
    if (staged != nullptr && still_fits(*staged, chunk, known)) {
        for (const PlannedEvent& row : staged->rows) write_event(row, type);
        plan = std::move(staged->plan);
        staged->set_written();
    } else {
        ImportPlanner planner{chunk, known, context_, environment_.clock.now(),
                              environment_.random};
        for (PlannedEvent row; planner.next(row);) write_event(row, type);
        plan = planner.finish();
    }
    write(plan);
    return plan;
}

bool SqliteWriter::still_fits(const StagedRows& staged, const ImportChunk& chunk,
                              const KnownState& known) const {
    const auto& types = chunk.touched.types;
    return staged.made_on == known.heads &&
           std::all_of(types.begin(), types.end(), [&](std::string_view type) {
               return staged.revisions.find(type)->second == types_.find(type)->second.revision;
           });
}

}  // namespace recount
