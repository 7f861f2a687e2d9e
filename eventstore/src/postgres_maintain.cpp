#include "postgres_maintain.hpp"

#include <array>

#include "postgres_rows.hpp"

namespace recount::postgres {
namespace {

Result committed(Session& session, const Statement& statement) {
    return std::move(session.run_and_commit({&statement, 1}).front());
}

}  // namespace

std::vector<StreamHead> list_names(Session& session, const NameRange& range, std::size_t limit) {
    const auto count = bigint(static_cast<std::int64_t>(limit));
    const std::array open{text(range.after), count};
    const std::array bounded{text(range.after), count, text(range.before.value_or(""))};
    const Result rows =
        range.before
            ? session.run(
                  "select name, version, closed from stream where name > $1 and name < $3 "
                  "order by name limit $2",
                  bounded)
            : session.run(
                  "select name, version, closed from stream where name > $1 order by name limit $2",
                  open);
    std::vector<StreamHead> page;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        page.push_back({StreamName::trusted(std::string{rows.text(row, 0)}),
                        Version{rows.integer(row, 1)}, rows.integer(row, 2) != 0});
    }
    return page;
}

std::int64_t erase_events(Session& session, const StreamName& stream, const Erasure& what) {
    const Parameter name = text(stream.full());
    const Parameter first = bigint(what.first.value);
    // Whoever keeps a snapshot holds the stream's row while it does, which appends do not mind.
    const std::vector<Statement> statements{
        {"begin", {}},
        {"select 1 from stream where name = $1 for update", {name}},
        {"update stream set erasures = erasures + $2 where name = $1",
         {name, bigint(what.forgets ? 1 : 0)}},
        {"with erased as (update event set salt = null, payload = null where stream = $1 "
         "and version between $2 and $3 and payload is not null returning 1) "
         "select count(*) from erased",
         {name, first, bigint(what.last.value)}},
        {"delete from snapshot where stream = $1 and version between $2 and $3 returning true",
         {name, first, bigint(what.snapshots.value)}},
        {"commit", {}}};
    try {
        return session.run_and_commit(statements)[3].integer(0, 0);
    } catch (...) {
        session.rollback();
        throw;
    }
}

Timestamp raise_horizon(Session& session, Timestamp horizon) {
    const Result raised =
        committed(session, {"update store set horizon = greatest(horizon, $1) returning horizon",
                            {bigint(microseconds(horizon))}});
    return time_from(raised.integer(0, 0));
}

void forget_outcomes(Session& session, const std::vector<std::string_view>& command_ids) {
    // Who forgets at the same time may have been faster, and the id be used again since.
    committed(session, {"delete from outcome where command_id = any($1::text[]) "
                        "and recorded_at < (select horizon from store)",
                        {text_array(command_ids)}});
}

}  // namespace recount::postgres
