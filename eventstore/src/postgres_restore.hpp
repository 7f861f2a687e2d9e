#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <recount/eventstore/log.hpp>

#include "postgres_session.hpp"

namespace recount::postgres {

/// A table expression `here (system_identifier, timeline)`, of the server that writes; a standby's
/// timeline is null. It is that of the log being written: the control file learns of a promotion
/// only later.
constexpr std::string_view this_server =
    "(select s.system_identifier, case when not pg_is_in_recovery() then "
    "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint end as timeline "
    "from pg_control_system() s) here";

/// Columns of the living incarnation and of the server that it lives on, for judge_server().
constexpr std::string_view living_and_here =
    "began.id, began.system_identifier, began.timeline, here.system_identifier, here.timeline";
/// The tables that they are of.
const std::string& living_and_here_tables();

/// Throws Mismatch when the server is not the one on which its living incarnation was opened, or
/// has begun another timeline since: commits may be missing, and only a person can say that it
/// shall go on from here. Likewise when that is not the incarnation that the program opened, if it
/// is given: it was declared since, or this is another branch. A standby is a ServerError. The
/// columns begin with `first`.
void judge_server(const std::string& store, const SqlResult& row, std::size_t first,
                  const std::optional<Uuid>& opened);

/// Asks the server itself, once in a session's life: none that writes outlives a restore or
/// failover. One to a standby does, and was not let through.
void require_same_server(Session& session, const std::optional<Uuid>& opened = {});

/// The same, asked now: for what writes without looking at a partition's incarnation. A session
/// outlives a restore that was only declared.
void require_living(Session& session, const std::optional<Uuid>& opened);

/// What is to be said of a history that is not the one the program opened.
std::string another_history(const std::string& store);

/// Opens a new incarnation at the current heads, committed.
Incarnation open_incarnation(Session& session, std::int32_t partitions, Environment& environment);

}  // namespace recount::postgres
