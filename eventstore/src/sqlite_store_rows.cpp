#include "sqlite_store_reader.hpp"

namespace recount {

std::vector<OutcomeRow> SqliteReader::outcome_rows(std::string_view after, std::size_t limit,
                                                   bool with_bytes) {
    const auto rows = connection_.prepare(
        "select command_id, kind, recorded_at, case when ?3 then bytes else x'' end from outcome "
        "where command_id > ?1 order by command_id limit ?2");
    rows->bind_text(1, after);
    rows->bind(2, static_cast<std::int64_t>(limit));
    rows->bind(3, std::int64_t{with_bytes});
    std::vector<OutcomeRow> page;
    while (rows->step()) {
        page.push_back({std::string{rows->text(0)}, rows->integer(1),
                        Timestamp{std::chrono::microseconds{rows->integer(2)}},
                        std::string{rows->bytes(3)}});
    }
    return page;
}

std::vector<RevisionRow> SqliteReader::revision_rows() {
    const auto rows = connection_.prepare(
        "select type, revision, fingerprint, descriptors from schema order by type, revision");
    std::vector<RevisionRow> all;
    while (rows->step()) {
        all.push_back(
            {std::string{rows->text(0)}, rows->integer(1), std::string{rows->bytes(2)}, {}});
        if (rows->type(3) != sqlite::Type::null) all.back().descriptors.emplace(rows->bytes(3));
    }
    return all;
}

std::vector<EventColumns> SqliteReader::event_columns(Partition partition, std::int64_t after,
                                                      std::size_t limit) {
    const auto rows = connection_.prepare(
        "select e.position, coalesce(s.name, ''), e.version, coalesce(r.type, ''), "
        "coalesce(r.revision, 0) from event e left join stream s on s.id = e.stream "
        "left join schema r on r.id = e.schema "
        "where e.partition = ? and e.position > ? order by e.position limit ?");
    rows->bind(1, std::int64_t{partition.value});
    rows->bind(2, after);
    rows->bind(3, static_cast<std::int64_t>(limit));
    std::vector<EventColumns> page;
    while (rows->step()) {
        page.push_back({rows->integer(0), std::string{rows->text(1)}, rows->integer(2),
                        std::string{rows->text(3)}, rows->integer(4)});
    }
    return page;
}

}  // namespace recount
