#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>

#include "writer.hpp"

namespace recount::projections {

std::int64_t GenerationWriter::retry_parked() {
    std::vector<ParkedHead> heads;
    {
        const DatabasePool::Lease lease = pool_->take();
        const auto sql = lease->begin(SqlMode::snapshot);
        heads = parked_heads(*sql);
    }
    std::int64_t done = 0;
    for (const ParkedHead& head : heads) {
        while (retry_first(head, done)) {
        }
    }
    if (done > 0) moved_->raise();
    return done;
}

/// Applies the first parked event of a stream; false when there is none, or it still fails.
bool GenerationWriter::retry_first(const ParkedHead& head, std::int64_t& done) {
    const DatabasePool::Lease lease = pool_->take();
    const auto sql = lease->begin(SqlMode::write);
    take_generation(*sql, view());
    const SqlResult first =
        sql->query("select min(position) from _parked where stream = $1", head.stream);
    if (first.null(0, 0)) return false;
    const Partition partition = head.position.partition;
    const std::int64_t n = first.integer(0, 0);

    LogPage page = context_.log.read(partition, n - 1, {.max_events = 1});
    if (page.events.empty() || page.events.front().at.position != Position{partition, n} ||
        page.events.front().at.stream.full() != head.stream) {
        throw Divergence("the parked event at position " + to_string(Position{partition, n}) +
                         " of view " + view() +
                         " is not in the log any more; find out why, then rebuild the view");
    }
    EventBatch batch;
    batch.add_unchecked(std::move(page.events.front()));
    try {
        if (!unfit(batch.events().front()).empty()) return false;
        handler_->apply(*sql, batch, {0});
    } catch (const Poison& still) {
        spdlog::warn("view {}: the parked event at position {} still cannot be applied", view(),
                     to_string(still.position));
        return false;
    }
    sql->exec("delete from _parked where partition = $1 and position = $2", partition.value, n);
    sql->commit();
    ++done;
    return true;
}

}  // namespace recount::projections
