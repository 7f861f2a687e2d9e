#include "parked.hpp"

#include <recount/core/error.hpp>

namespace recount::projections {

Parking::Parking(Sql& sql, bool any_parked) {
    if (!any_parked) return;
    const SqlResult found = sql.query("select distinct stream from _parked");
    for (std::size_t row = 0; row < found.size(); ++row) streams_.insert(found.text(row, 0));
}

bool Parking::park(const RecordedEvent& event, const std::string& error) {
    const std::string& stream = event.at.stream.full();
    const bool queued = streams_.contains(stream);
    if (!queued && error.empty()) return false;
    rows_.push_back({&event, queued ? std::string{} : error});
    if (!queued) streams_.insert(stream);
    return true;
}

void Parking::write(Sql& sql, const std::string& view, std::size_t limit, Timestamp now) {
    if (rows_.empty()) return;
    const std::int64_t before = parked_events(sql);
    if (static_cast<std::size_t>(before + count()) > limit) {
        throw Error("view " + view + " would have " + std::to_string(before + count()) +
                    " events set aside, more than the limit of " + std::to_string(limit) +
                    "; the first of "
                    "them now is at position " +
                    to_string(rows_.front().event->at.position) +
                    ": mend the view and retry what is parked, or raise max_parked");
    }
    RowsWrite write;
    write.table = "_parked";
    write.columns = {"partition", "position", "stream", "type", "error", "parked_at"};
    write.types = {"bigint", "bigint", "text", "text", "text", "bigint"};
    for (const Parked& parked : rows_) {
        const Recorded& at = parked.event->at;
        write.rows.push_back({std::int64_t{at.position.partition.value}, at.position.n,
                              at.stream.full(), at.type, parked.error,
                              std::int64_t{now.time_since_epoch().count()}});
    }
    sql.write(write);
}

std::vector<ParkedHead> parked_heads(Sql& sql) {
    const SqlResult found = sql.query(
        "select partition, min(position) as first, stream from _parked group by partition, stream "
        "order by first, partition");
    std::vector<ParkedHead> heads;
    for (std::size_t row = 0; row < found.size(); ++row) {
        const Partition partition{static_cast<std::int32_t>(found.integer(row, 0))};
        heads.push_back({{partition, found.integer(row, 1)}, found.text(row, 2)});
    }
    return heads;
}

std::int64_t parked_events(Sql& sql) {
    return sql.query("select count(*) from _parked").integer(0, 0);
}

}  // namespace recount::projections
