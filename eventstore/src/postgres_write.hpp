#pragma once

#include <functional>
#include <optional>

#include "append_plan.hpp"
#include "postgres_session.hpp"

namespace recount::postgres {

/// The row of the schema table that a type of event has.
using SchemaId = std::function<std::int32_t(std::string_view type)>;

/// The one statement that writes a plan, if what it was made from still holds. Whether it did is
/// in its answer: has_written(). Fails with RC001 when a stream is not at the version it was taken
/// to be at, or with 23505 when one is there that was taken to be new.
Statement write_plan(const AppendPlan& plan, const Touched& touched, const KnownState& known,
                     std::int32_t living, const SchemaId& schema_id);

/// Writes a plan of a single event, of an append that places_one(), behind whatever its partition
/// ends with by then, if that is `seen` or comes after it and was recorded no later than the event.
/// The server counts the position and chains the hash; it answers with both: placed_by(). Fails as
/// the other does.
Statement write_unplaced(const AppendPlan& plan, const LogHead& seen, std::int32_t living,
                         const SchemaId& schema_id);
/// Where it is now, or nothing when it was not written.
std::optional<LogHead> placed_by(const Result& answer, const AppendPlan& plan);

template <class Answer>
bool has_written(const Answer& answer) {
    return answer.empty() ? answer.affected > 0 : answer.integer(0, 0) != 0;
}

/// What must follow write_plan() in its transaction when the plan closes streams.
std::optional<Statement> close_streams(const AppendPlan& plan);

/// The same of a plan whose events are in the table `staged_events` of this session.
constexpr std::string_view staged_events = "pg_temp.recount_staged";
Statement write_staged_plan(const AppendPlan& plan, const Touched& touched, const KnownState& known,
                            std::int32_t living);

}  // namespace recount::postgres
