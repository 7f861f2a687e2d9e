#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recount/eventstore/event_store.hpp>

#include "postgres_session.hpp"
#include "store_base.hpp"

namespace recount::postgres {

/// Version, closing and erasures of a stream, $1. Read before its events: what is appended in
/// between only makes them say that there is more.
inline constexpr std::string_view head_of_stream =
    "select version, closed, erasures from stream where name = $1";
/// Of a row that begins with partition, position, envelope, hash, salt, payload.
EventParts event_parts(const Result& rows, std::size_t row);
[[noreturn]] void lacks_version(const StreamName& stream, Version version, Version head,
                                const std::string& store);

StreamPage read_stream_page(Session& session, const StreamName& stream, const ReadStream& options);
/// The two statements that read a page, to go with others, and the page from their answers.
std::vector<Statement> statements_for_page(const StreamName& stream, const ReadStream& options);
StreamPage stream_page_from(std::span<const Result> answers, const StreamName& stream,
                            const ReadStream& options, const std::string& store);
LogPage read_log_page(Session& session, Partition partition, std::int64_t after,
                      const ReadLog& options, const Uuid& store,
                      const std::vector<Incarnation>& incarnations);
/// `origins` stand where a partition has no event.
std::vector<LogHead> read_heads(Session& session, const std::vector<LogHead>& origins);
/// The same with everything that was committed before; a standby is Unavailable.
std::vector<LogHead> read_newest(Session& session, const std::vector<LogHead>& origins);
std::vector<LogHead> with_origins(std::vector<LogHead> heads, const std::vector<LogHead>& origins);
std::optional<CommandOutcome> read_outcome(Session& session, std::string_view command_id);
/// Writes an outcome under its command id unless there is one; returns the one that is there,
/// committed. Throws CommandExpired when there is none and the id was born before the horizon.
CommandOutcome claim_outcome(Session& session, const CommandOutcome& claim);
std::optional<std::string> read_schema(Session& session, std::string_view type,
                                       std::uint32_t revision);

}  // namespace recount::postgres
