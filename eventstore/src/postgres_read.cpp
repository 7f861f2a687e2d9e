#include "postgres_read.hpp"

#include <recount/core/error.hpp>
#include <recount/core/utf8.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

#include "postgres_rows.hpp"
#include "retention.hpp"
#include "store_base.hpp"

namespace recount::postgres {

namespace {

/// The rows that `from` selects, as a page in `order`. One event more than a page may hold tells
/// whether there is more: `limit`. Bytes are counted on the server, in one pass, so that no page is
/// much larger on its way than `bytes` says: a row comes when what stands before the one before it
/// is within them, and the first two whatever their size.
std::string page(std::string_view from, std::string_view order, std::string_view bytes,
                 std::string_view limit) {
    return fmt::format(
        "select partition, position, envelope, hash, salt, payload, version from ("
        "  select *, sum(octet_length(envelope) + coalesce(octet_length(payload), 0))"
        "      over (order by {1} rows between unbounded preceding and 2 preceding) as before"
        "  from (select * from event {0} order by {1} limit {3}) e"
        ") page where before is null or before <= {2} order by {1}",
        from, order, bytes, limit);
}
const std::string log_page = page("where partition = $1 and position > $2", "position", "$4", "$3");
const std::string stream_page = page("where stream = $1 and version >= $2", "version", "$4", "$3");
const std::string stream_page_backwards =
    page("where stream = $1 and version <= $2", "version desc", "$4", "$3");
constexpr std::string_view all_heads =
    "select position, hash, recorded_at from partition order by partition";

std::int64_t one_more(std::size_t events) {
    return static_cast<std::int64_t>(std::clamp<std::size_t>(events, 1, PageLimit::most_events)) +
           1;
}

std::int64_t bounded(std::size_t bytes) {
    return static_cast<std::int64_t>(std::min<std::size_t>(bytes, std::size_t{1} << 40));
}

/// The server refuses other bytes, which are nowhere in it.
bool may_be_text(std::string_view bytes) {
    return valid_utf8(bytes) && bytes.find('\0') == bytes.npos;
}

std::vector<LogHead> heads_from(const Result& rows, const std::vector<LogHead>& origins,
                                const std::string& store) {
    if (rows.size() != origins.size()) {
        throw Divergence(fmt::format(
            "{} has rows for {} of its {} partitions; rows were removed: compare with a backup",
            store, rows.size(), origins.size()));
    }
    std::vector<LogHead> heads;
    for (std::size_t row = 0; row < rows.size(); ++row) heads.push_back(head_from(rows, row, 0));
    return with_origins(std::move(heads), origins);
}

}  // namespace

EventParts event_parts(const Result& rows, std::size_t row) {
    const Position position{Partition{static_cast<std::int32_t>(rows.integer(row, 0))},
                            rows.integer(row, 1)};
    return {position, rows.bytes(row, 2), rows.bytes(row, 3), rows.bytes_or_null(row, 4),
            rows.bytes_or_null(row, 5)};
}

void lacks_version(const StreamName& stream, Version version, Version head,
                   const std::string& store) {
    throw Divergence(
        fmt::format("stream {} of {} lacks version {} of {}; a row was removed: restore a backup",
                    stream.full(), store, version.value, head.value));
}

StreamPage read_stream_page(Session& session, const StreamName& stream, const ReadStream& options) {
    const auto statements = statements_for_page(stream, options);
    return stream_page_from(session.run_all(statements), stream, options, session.name());
}

std::vector<Statement> statements_for_page(const StreamName& stream, const ReadStream& options) {
    const bool forwards = options.direction == Direction::forwards;
    return {{head_of_stream, {text(stream.full())}},
            {forwards ? stream_page : stream_page_backwards,
             {text(stream.full()), bigint(options.from.value), bigint(one_more(options.max_events)),
              bigint(bounded(options.max_bytes))}}};
}

StreamPage stream_page_from(std::span<const Result> answers, const StreamName& stream,
                            const ReadStream& options, const std::string& store) {
    const bool forwards = options.direction == Direction::forwards;
    const Result& rows = answers[1];

    StreamPage page;
    if (!answers[0].empty()) {
        page.head = Version{answers[0].integer(0, 0)};
        page.closed = answers[0].integer(0, 1) != 0;
        page.erasures = answers[0].integer(0, 2);
    }
    std::int64_t version = forwards ? std::max<std::int64_t>(options.from.value, 1)
                                    : std::min(options.from.value, page.head.value);
    PageLimit limit{options.max_events, options.max_bytes};
    page.events.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        // Appended between the two looks.
        page.head = std::max(page.head, Version{rows.integer(row, 6)});
        if (!forwards && row == 0) version = std::max(version, rows.integer(row, 6));
        RecordedEvent event = recorded_event(event_parts(rows, row));
        if (!limit.take(event)) return page;
        check_row(event, stream, Version{version});
        page.events.push_back(std::move(event));
        version += forwards ? 1 : -1;
    }
    if (forwards ? version <= page.head.value : version >= 1) {
        lacks_version(stream, Version{version}, page.head, store);
    }
    page.end = true;
    return page;
}

LogPage read_log_page(Session& session, Partition partition, std::int64_t after,
                      const ReadLog& options, const Uuid& store,
                      const std::vector<Incarnation>& incarnations) {
    const Position seen{partition, after};
    const std::array<Statement, 2> statements{
        {{"select hash from event where partition = $1 and position = $2",
          {integer(partition.value), bigint(seen.n)}},
         {log_page,
          {integer(partition.value), bigint(seen.n), bigint(one_more(options.max_events)),
           bigint(bounded(options.max_bytes))}}}};
    LogPage page;
    page.end = true;
    std::optional<ChainCheck> chain;
    if (seen.n == 0) chain.emplace(partition, 0, Hash{});
    PageLimit limit{options.max_events, options.max_bytes};
    session.run_rows(statements, [&](std::size_t statement, const Result& row) {
        if (statement == 0) {
            chain.emplace(partition, seen.n, recorded_hash(row.bytes(0, 0), seen));
            return true;
        }
        if (!chain) missing_event(seen, session.name());
        RecordedEvent event = recorded_event(event_parts(row, 0));
        page.end = limit.take(event);
        if (!page.end) return false;
        chain->next(event, store, incarnations);
        page.events.push_back(std::move(event));
        return true;
    });
    if (!chain) missing_event(seen, session.name());
    return page;
}

std::vector<LogHead> read_heads(Session& session, const std::vector<LogHead>& origins) {
    return heads_from(session.run(all_heads), origins, session.name());
}

std::vector<LogHead> read_newest(Session& session, const std::vector<LogHead>& origins) {
    // In this order: a standby may replay more, and be promoted, in between.
    const std::array<Statement, 2> statements{
        {{"select pg_is_in_recovery()", {}}, {all_heads, {}}}};
    const auto answers = session.run_all(statements);
    if (answers[0].integer(0, 0) != 0) {
        throw Unavailable(fmt::format(
            "{} is a standby: what its primary has committed beyond it cannot be told here; open "
            "the store on the primary, or read with eventual() or session()",
            session.name()));
    }
    return heads_from(answers[1], origins, session.name());
}

std::vector<LogHead> with_origins(std::vector<LogHead> heads, const std::vector<LogHead>& origins) {
    for (std::size_t index = 0; index < heads.size() && index < origins.size(); ++index) {
        if (heads[index].n == 0) heads[index] = origins[index];
    }
    return heads;
}

std::optional<CommandOutcome> read_outcome(Session& session, std::string_view command_id) {
    if (!may_be_text(command_id)) return {};
    const std::array id{text(command_id)};
    const Result rows = session.run("select bytes from outcome where command_id = $1", id);
    if (rows.empty()) return {};
    return decode_outcome(command_id, rows.bytes(0, 0));
}

CommandOutcome claim_outcome(Session& session, const CommandOutcome& claim) {
    const std::array row{text(claim.command_id), integer(static_cast<std::int32_t>(claim.kind)),
                         bigint(microseconds(claim.recorded_at)), bytea(encode(claim))};
    // The horizon stays where it is until we have committed.
    const std::array<Statement, 3> looking{
        {{"begin", {}},
         {"select horizon from store for share", {}},
         // Nor is it forgotten meanwhile, for which the claim would then be taken.
         {"select bytes from outcome where command_id = $1 for share", {row[0]}}}};
    const std::array<Statement, 3> claiming{
        {{"insert into outcome (command_id, kind, recorded_at, bytes) values ($1, $2, $3, $4) "
          "on conflict do nothing",
          {row.begin(), row.end()}},
         {"select bytes from outcome where command_id = $1", {row[0]}},
         {"commit", {}}}};
    try {
        const auto found = session.run_all(looking);
        const Timestamp horizon = time_from(found[1].integer(0, 0));
        if (found[2].empty() && expired(claim.command_id, horizon)) {
            throw CommandExpired(expired_message(claim.command_id, horizon));
        }
        // Committed also when it was there: what is found may not be on the standby yet.
        const auto answers = session.run_and_commit(claiming);
        return decode_outcome(claim.command_id, answers[1].bytes(0, 0));
    } catch (...) {
        session.rollback();
        throw;
    }
}

std::optional<std::string> read_schema(Session& session, std::string_view type,
                                       std::uint32_t revision) {
    if (!may_be_text(type)) return {};
    const std::array key{text(type), bigint(revision)};
    const Result rows =
        session.run("select descriptors from schema where type = $1 and revision = $2", key);
    if (rows.empty() || rows.null(0, 0)) return {};
    return std::string{rows.bytes(0, 0)};
}

}  // namespace recount::postgres
