#pragma once

#include <string_view>

#include <recount/eventstore/log.hpp>

#include "postgres_session.hpp"

namespace recount::postgres {

/// A table expression `here (system_identifier, timeline)`, of the server that writes. The timeline
/// is that of the log being written: the control file learns of a promotion only later.
constexpr std::string_view this_server =
    "(select s.system_identifier, "
    "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint as timeline "
    "from pg_control_system() s) here";

/// Throws Mismatch when the server is not the one on which the living incarnation was opened, or
/// has begun another timeline since: commits may be missing, and only a person can say that it
/// shall go on from here. Asked once in a session's life, as none outlives a restore or failover.
void require_same_server(Session& session);

/// Opens a new incarnation at the current heads, committed.
Incarnation open_incarnation(Session& session, std::int32_t partitions, Environment& environment);

}  // namespace recount::postgres
