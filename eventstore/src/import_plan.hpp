#pragma once

#include <optional>
#include <string>
#include <vector>

#include "import_chunk.hpp"

namespace recount {

/// The verdict on a chunk, when it is not to be written: repeated, reused or conflict. `known`
/// holds outcome and versions of what the chunk touches.
std::optional<AppendResult> refuse_chunk(const ImportChunk& chunk, const KnownState& known);

/// Makes the rows of a chunk, one after the other, so that they can be sent while the next are
/// made. Pure but for `random`.
class ImportPlanner {
public:
    /// Of `known` only heads are looked at. `context.revision_of` is asked once for each type.
    ImportPlanner(const ImportChunk& chunk, const KnownState& known, const PlanContext& context,
                  Timestamp now, Random& random);

    /// False behind the last row. A row's strings keep their memory from one to the next.
    bool next(PlannedEvent& row);
    /// What is to be written besides, once all rows are made; without events.
    AppendPlan finish();

private:
    const ImportChunk& chunk_;
    const PlanContext& context_;
    Timestamp now_;
    std::vector<LogHead> before_, heads_;
    std::vector<Version> versions_;
    std::vector<Position> first_;  // of each stream
    std::vector<bool> closed_;
    std::vector<std::uint32_t> revisions_;
    std::string salts_;
    Envelope envelope_;
    std::size_t made_ = 0;
};

/// Decides a chunk and makes all its rows.
AppendPlan plan_import(const ImportChunk& chunk, const KnownState& known,
                       const PlanContext& context, Timestamp now, Random& random);

}  // namespace recount
