#include <spdlog/spdlog.h>

#include <exception>
#include <optional>
#include <utility>

#include <recount/core/error.hpp>

#include "writer.hpp"

namespace recount::projections {
namespace {

std::optional<std::int64_t> first_parked(Sql& sql, const std::string& stream) {
    const SqlResult first =
        sql.query("select min(position) from _parked where stream = $1", stream);
    if (first.null(0, 0)) return std::nullopt;
    return first.integer(0, 0);
}

}  // namespace

std::int64_t GenerationWriter::retry_parked() {
    std::vector<ParkedHead> heads;
    {
        const DatabasePool::Lease lease = pool_->take();
        const auto sql = lease->begin(SqlMode::snapshot);
        heads = parked_heads(*sql);
    }
    std::int64_t done = 0;
    std::exception_ptr first_error;  // that one stream waits is no reason for others to wait
    for (const ParkedHead& head : heads) {
        try {
            while (retry_first(head, done)) {
            }
        } catch (const Error&) {
            if (!first_error) first_error = std::current_exception();
        }
    }
    parked_ -= done;
    if (done > 0) moved_->raise();
    if (first_error) std::rethrow_exception(first_error);
    return done;
}

/// Applies the first parked event of a stream; false when there is none, or it still fails. The
/// log, which may take its time, is asked before the generation is taken.
bool GenerationWriter::retry_first(const ParkedHead& head, std::int64_t& done) {
    const DatabasePool::Lease lease = pool_->take();
    const auto first = first_parked(*lease->begin(SqlMode::snapshot), head.stream);
    if (!first) return false;
    const Position position{head.position.partition, *first};
    RecordedEvent event = parked_event(position, head.stream);

    const auto sql = lease->begin(SqlMode::write);
    take_generation(*sql, view());
    if (first_parked(*sql, head.stream) != first) return true;  // somebody else was here
    EventBatch batch;
    batch.add_unchecked(std::move(event));
    try {
        if (!unfit(batch.events().front()).empty()) return false;
        handler_->apply(*sql, batch, {0}, false);
    } catch (const Poisoned&) {
        spdlog::warn("view {}: the parked event at position {} still cannot be applied", view(),
                     to_string(position));
        return false;
    }
    sql->exec("delete from _parked where partition = $1 and position = $2",
              position.partition.value, position.n);
    sql->commit();
    ++done;
    return true;
}

RecordedEvent GenerationWriter::parked_event(const Position& position, const std::string& stream) {
    LogPage page = context_.log.read(position.partition, position.n - 1, {.max_events = 1});
    if (!page.events.empty() && page.events.front().at.position == position &&
        page.events.front().at.stream.full() == stream) {
        return std::move(page.events.front());
    }
    const std::string where =
        "the parked event at position " + to_string(position) + " of view " + view();
    if (page.events.empty() && log_may_lag())
        throw Unavailable(where + " is not in this log yet; try again when it has come so far");
    throw Divergence(where + " is not in the log any more; find out why, then rebuild the view");
}

}  // namespace recount::projections
