#include "postgres_verify.hpp"

#include <array>

#include "postgres_rows.hpp"

namespace recount::postgres {

std::vector<OutcomeRow> outcome_rows(Session& session, std::string_view after, std::size_t limit,
                                     bool with_bytes) {
    const std::array page_of{text(after), bigint(static_cast<std::int64_t>(limit))};
    const Result rows =
        session.run(with_bytes ? "select command_id, kind, recorded_at, bytes from outcome "
                                 "where command_id > $1 order by command_id limit $2"
                               : "select command_id, kind, recorded_at, ''::bytea from outcome "
                                 "where command_id > $1 order by command_id limit $2",
                    page_of);
    std::vector<OutcomeRow> page;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        page.push_back({std::string{rows.text(row, 0)}, rows.integer(row, 1),
                        time_from(rows.integer(row, 2)), std::string{rows.bytes(row, 3)}});
    }
    return page;
}

std::vector<RevisionRow> revision_rows(Session& session) {
    const Result rows = session.run(
        "select type, revision, fingerprint, descriptors from schema order by type, revision");
    std::vector<RevisionRow> all;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        all.push_back({std::string{rows.text(row, 0)},
                       rows.integer(row, 1),
                       std::string{rows.bytes(row, 2)},
                       {}});
        if (!rows.null(row, 3)) all.back().descriptors.emplace(rows.bytes(row, 3));
    }
    return all;
}

std::vector<EventColumns> event_columns(Session& session, Partition partition, std::int64_t after,
                                        std::size_t limit) {
    const std::array page_of{integer(partition.value), bigint(after),
                             bigint(static_cast<std::int64_t>(limit))};
    const Result rows = session.run(
        "select e.position, coalesce(t.name, ''), e.version, coalesce(s.type, ''), "
        "coalesce(s.revision, 0) from event e left join stream t on t.name = e.stream "
        "left join schema s on s.id = e.schema "
        "where e.partition = $1 and e.position > $2 order by e.position limit $3",
        page_of);
    std::vector<EventColumns> page;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        page.push_back({rows.integer(row, 0), std::string{rows.text(row, 1)}, rows.integer(row, 2),
                        std::string{rows.text(row, 3)}, rows.integer(row, 4)});
    }
    return page;
}

}  // namespace recount::postgres
