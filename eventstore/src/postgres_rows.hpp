#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "append_plan.hpp"
#include "postgres_session.hpp"

namespace recount::postgres {

/// A row of the schema table, as the events of its type refer to it.
struct SchemaRow {
    std::int32_t id = 0;
    std::uint32_t revision = 1;
};

/// One column of rows, each made by `value` from an element.
template <class Rows, class Value>
Parameter column(Type type, const Rows& rows, const Value& value) {
    Array array{type};
    for (const auto& row : rows) array.add(value(row));
    return std::move(array).finish();
}
Parameter numbers_of(const std::vector<Partition>& partitions);
Parameter text_array(std::span<const std::string_view> values);

/// Locks the partitions and reads their heads and the streams that are touched, then what became
/// of the commands, unless they are taken for new, and the horizon; behind a "begin".
std::vector<Statement> lock_and_read(const Touched& touched, bool new_commands);
/// The last two of those statements, for who had taken the commands for new.
std::vector<Statement> read_commands(const Touched& touched);
/// Their heads as they are at the moment. Throws Mismatch when some are not there.
std::vector<LogHead> heads_of(Session& session, const std::vector<Partition>& partitions);
/// Those of which the last event is another. One who has not seen them asks before he goes on from
/// them: see last_event.hpp.
Statement heads_without_last_event(const std::vector<Partition>& partitions);
/// Of the answer to that: throws Divergence when there are any.
template <class Rows>
void require_none(const Rows& damaged, const std::string& store);
/// The answers to lock_and_read(). Throws Mismatch when a partition lives in another incarnation
/// than the `living`th.
KnownState known_from(const Touched& touched, std::span<const Result> answers, std::int32_t living,
                      const std::string& store);

/// Locks them only; for one who reads behind it.
Statement lock_only(const Touched& touched);
/// Reads the same by one statement, as of one moment, and locks nothing.
Statement read_at_once(const Touched& touched);
/// The answer to it; see known_from().
KnownState known_at_once(const Touched& touched, const SqlResult& answer, std::int32_t living,
                         const std::string& store);

LogHead head_from(const Result& rows, std::size_t row, std::size_t column);
Timestamp time_from(std::int64_t microseconds);
std::int64_t microseconds(Timestamp time);

}  // namespace recount::postgres
