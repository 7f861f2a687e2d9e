#include "import_plan.hpp"
#include "sqlite_store_writer.hpp"

namespace recount {

AppendPlan SqliteWriter::import_chunk(const ImportChunk& chunk) {
    return committed([&] { return import_locked(chunk); });
}

AppendPlan SqliteWriter::import_locked(const ImportChunk& chunk) {
    forget_if_others_wrote();
    const KnownState known = read_known(chunk.touched);
    if (auto refused = refuse_chunk(chunk, known)) {
        AppendPlan nothing;
        nothing.results.push_back(std::move(*refused));
        return nothing;
    }
    register_types(chunk.touched);
    ImportPlanner planner{chunk, known, context_, environment_.clock.now(), environment_.random};
    PlannedEvent row;
    for (std::string_view type; planner.next(row);) write_event(row, type);
    AppendPlan plan = planner.finish();
    write(plan);
    return plan;
}

}  // namespace recount
