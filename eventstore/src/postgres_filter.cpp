#include "postgres_filter.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "log_filter.hpp"
#include "store_base.hpp"

namespace recount::postgres {
namespace {

// $2 is the position behind which is read, whose row is read, too: the next one's hash begins with
// its own. $3 so many are looked through; the row behind them tells that there is more. $4, $5
// bytes that wanted envelopes begin with or hold, $6, $7 what the page holds. What the hash covers
// is what is looked at, no column beside it. Where a history began a hash does not follow from the
// one before: such rows are sent as if they were broken, and judged by who knows all histories.
constexpr std::string_view filtered_page =
    "with row_by_row as ("
    "  select position, envelope, hash, salt, payload,"
    "    octet_length(envelope) + coalesce(octet_length(payload), 0) as size,"
    "    lag(position) over by_position as position_before,"
    "    lag(hash) over by_position as hash_before,"
    "    position > $2 and position <= $2 + $3"
    "      and (cardinality($4::bytea[]) = 0 or exists (select from unnest($4::bytea[]) name"
    "        where substring(envelope from 3 for octet_length(name)) = name"
    "          or substring(envelope from 4 for octet_length(name)) = name))"
    "      and (cardinality($5::bytea[]) = 0 or exists (select from unnest($5::bytea[]) type"
    "        where position(type in envelope) > 0)) as wanted"
    "  from (select * from event where partition = $1 and position >= $2"
    "    order by position limit $3 + 2) e"
    "  window by_position as (order by position)"
    "), counted as ("
    "  select *, count(*) filter (where wanted) over rows_before as nth,"
    "    sum(size) filter (where wanted) over rows_before as upto,"
    "    lead(position) over rows_before is null as last,"
    "    position > $2 and (position <> coalesce(position_before, 0) + 1"
    "      or hash is distinct from sha256('recount/event/1'::bytea || int4send($1)"
    "        || int8send(position) || hash_before || envelope)) as broken"
    "  from row_by_row"
    "  window rows_before as (order by position rows unbounded preceding)"
    "), marked as ("
    "  select *, wanted and nth <= $6 and (nth <= 2 or upto - size <= $7) as sent from counted"
    ") select position, position_before, hash_before, nth, sent, broken,"
    "    case when sent or broken then envelope end, case when sent or broken then hash end,"
    "    case when sent then salt end, case when sent then payload end"
    "  from marked where sent or broken or last or position = $2 order by position";

enum Column : std::size_t {
    position,
    position_before,
    hash_before,
    nth,
    sent,
    broken,
    envelope,
    hash,
    salt,
    payload
};

Parameter bytes_array(const std::vector<std::string>& values) {
    Array array{Type::bytea};
    for (const std::string& value : values) array.add(std::string_view{value});
    return std::move(array).finish();
}

}  // namespace

LogPage read_filtered_page(Session& session, Partition partition, std::int64_t after,
                           const ReadLog& options, const Uuid& store,
                           const std::vector<Incarnation>& incarnations) {
    const EnvelopeBytes wanted{options.filter};
    const auto scanned = static_cast<std::int64_t>(positions_scanned(options));
    const auto events = static_cast<std::int64_t>(
        std::clamp<std::size_t>(options.max_events, 1, static_cast<std::size_t>(scanned)));
    const auto bytes = static_cast<std::int64_t>(std::min(options.max_bytes, std::size_t{1} << 40));
    const std::array parameters{integer(partition.value),
                                bigint(after),
                                bigint(scanned),
                                bytes_array(wanted.names()),
                                bytes_array(wanted.types()),
                                bigint(events + 1),
                                bigint(bytes)};
    const Result rows = session.run(filtered_page, parameters);
    const bool found = !rows.empty() && rows.integer(0, position) == after;
    if (after > 0 && !found) missing_event(Position{partition, after}, session.name());

    LogPage page;
    page.upto = after;
    PageLimit limit{options.max_events, options.max_bytes};
    std::int64_t received = 0;
    for (std::size_t row = found ? 1 : 0; row < rows.size(); ++row) {
        const Position at{partition, rows.integer(row, position)};
        const bool is_sent = rows.integer(row, sent) != 0;
        if (is_sent || rows.integer(row, broken) != 0) {
            const auto before = rows.bytes_or_null(row, hash_before);
            ChainCheck chain{
                partition, rows.null(row, position_before) ? 0 : rows.integer(row, position_before),
                before ? recorded_hash(*before, {partition, after}) : Hash{}};
            if (!is_sent) {
                chain.pass_over(at, rows.bytes(row, envelope),
                                recorded_hash(rows.bytes(row, hash), at), store, incarnations);
            } else {
                ++received;
                RecordedEvent event = recorded_event(
                    {at, rows.bytes(row, envelope), rows.bytes(row, hash),
                     rows.bytes_or_null(row, salt), rows.bytes_or_null(row, payload)});
                const bool takes = options.filter.takes(event.at);
                page.upto = std::max(page.upto, at.n - 1);
                if (takes && !limit.take(event)) return page;
                chain.next(event, store, incarnations);
                if (takes) page.events.push_back(std::move(event));
                page.upto = at.n;
            }
        }
        // What the server did not send any more may be wanted.
        if (rows.integer(row, nth) > received) return page;
        page.upto = std::min(at.n, after + scanned);
    }
    page.end = rows.empty() || rows.integer(rows.size() - 1, position) <= after + scanned;
    return page;
}

}  // namespace recount::postgres
