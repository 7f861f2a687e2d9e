#include "sqlite_store_reader.hpp"

#include <recount/core/error.hpp>

#include <algorithm>

#include "log_filter.hpp"
#include "sqlite_store_file.hpp"
#include "store_base.hpp"

namespace recount {
namespace {

/// Ends a read transaction, in which nothing can be lost.
class AtOneMoment {
public:
    explicit AtOneMoment(sqlite::Connection& connection) : connection_(connection) {
        connection_.begin_read();
    }
    ~AtOneMoment() { connection_.rollback(); }
    AtOneMoment(const AtOneMoment&) = delete;
    AtOneMoment& operator=(const AtOneMoment&) = delete;

private:
    sqlite::Connection& connection_;
};

/// From the columns envelope, hash, salt, payload, which begin at `column`.
RecordedEvent event_in(const sqlite::Statement& row, const Position& position, int column) {
    const auto optional = [&row](int at) {
        return row.type(at) == sqlite::Type::null ? std::nullopt : std::optional{row.bytes(at)};
    };
    return recorded_event({position, row.bytes(column), row.bytes(column + 1), optional(column + 2),
                           optional(column + 3)});
}

}  // namespace

SqliteReader::SqliteReader(const std::string& path, const StoreIdentity& identity, Duration timeout)
    : identity_(identity), connection_(path, {.read_only = true, .timeout = timeout}) {
    static const std::string event = "envelope, hash, salt, payload from event ";
    outcome_ = connection_.prepare("select bytes from outcome where command_id = ?");
    stream_ = connection_.prepare(
        "select id, (select max(version) from event where stream = stream.id), closed, erasures "
        "from stream where name = ?");
    forwards_ = connection_.prepare("select version, partition, position, " + event +
                                    "where stream = ? and version >= ? order by version");
    backwards_ = connection_.prepare("select version, partition, position, " + event +
                                     "where stream = ? and version <= ? order by version desc");
    log_ = connection_.prepare("select position, " + event +
                               "where partition = ? and position > ? order by position");
    hash_at_ = connection_.prepare("select hash from event where partition = ? and position = ?");
    heads_ = connection_.prepare(
        "select partition, position, hash, recorded_at from partition order by partition");
    schema_ = connection_.prepare("select descriptors from schema where type = ? and revision = ?");
    names_ = connection_.prepare(
        "select name, (select max(version) from event where stream = stream.id), closed "
        "from stream "
        "where name > ? and (?2 is null or name < ?2) order by name limit ?3");
    snapshot_ = connection_.prepare(
        "select fold, version, partition, position, event_id, hash, bytes from snapshot "
        "where stream = ? and type = ?");
    const auto store = connection_.prepare("select id from store");
    if (store->step() && Uuid::from(store->bytes(0)) == identity.id) return;
    throw Mismatch(identity.name + " is no longer the store that was opened: its file was " +
                   "replaced; open it again, and declare it restored when it is a backup");
}

std::optional<CommandOutcome> SqliteReader::find_outcome(std::string_view command_id) {
    const sqlite::Running running{*outcome_};
    outcome_->bind_text(1, command_id);
    if (!outcome_->step()) return std::nullopt;
    return decode_outcome(command_id, outcome_->bytes(0));
}

StreamPage SqliteReader::read_stream(const StreamName& stream, const ReadStream& options) {
    const AtOneMoment moment{connection_};
    return page_of(stream, options);
}

SnapshotPage SqliteReader::read_snapshot(const StreamName& stream, std::string_view type,
                                         std::int64_t fold, ReadStream options) {
    const AtOneMoment moment{connection_};
    SnapshotPage found;
    {
        const sqlite::Running running{*snapshot_};
        snapshot_->bind_text(1, stream.full());
        snapshot_->bind_text(2, type);
        if (snapshot_->step()) {
            const Partition partition{static_cast<std::int32_t>(snapshot_->integer(2))};
            found.snapshot = Snapshot{std::string{type},
                                      snapshot_->integer(0),
                                      Version{snapshot_->integer(1)},
                                      Position{partition, snapshot_->integer(3)},
                                      Uuid::from(snapshot_->bytes(4)),
                                      Hash::from(snapshot_->bytes(5)),
                                      std::string{snapshot_->bytes(6)}};
        }
    }
    options.from = first_of(found.snapshot, fold);
    found.page = page_of(stream, options);
    return found;
}

StreamPage SqliteReader::page_of(const StreamName& stream, const ReadStream& options) {
    StreamPage page;
    const sqlite::Running named{*stream_};
    stream_->bind_text(1, stream.full());
    if (stream_->step()) {
        page.head.value = stream_->integer(1);
        page.closed = stream_->integer(2) != 0;
        page.erasures = stream_->integer(3);
    }
    const bool forwards = options.direction == Direction::forwards;
    std::int64_t version = forwards ? std::max<std::int64_t>(options.from.value, 1)
                                    : std::min(options.from.value, page.head.value);
    page.end = version < 1 || version > page.head.value;
    if (page.end) return page;

    sqlite::Statement& rows = forwards ? *forwards_ : *backwards_;
    const sqlite::Running running{rows};
    rows.bind(1, stream_->integer(0));
    rows.bind(2, version);
    PageLimit limit{options.max_events, options.max_bytes};
    for (; rows.step(); version += forwards ? 1 : -1) {
        const Position position{Partition{static_cast<std::int32_t>(rows.integer(1))},
                                rows.integer(2)};
        RecordedEvent event = event_in(rows, position, 3);
        if (!limit.take(event)) return page;
        check_row(event, stream, Version{version});
        page.events.push_back(std::move(event));
    }
    const std::int64_t last = forwards ? page.head.value + 1 : 0;
    if (version != last) {
        throw Divergence("stream " + stream.full() + " of " + identity_.name + " lacks version " +
                         std::to_string(version) + " of " + std::to_string(page.head.value) +
                         "; a row was removed: restore a backup");
    }
    page.end = true;
    return page;
}

LogPage SqliteReader::read(Partition partition, std::int64_t after, const ReadLog& options,
                           const std::vector<Incarnation>& incarnations) {
    const EnvelopeBytes wanted{options.filter};
    ChainCheck chain = chain_behind(Position{partition, after});
    const sqlite::Running running{*log_};
    log_->bind(1, std::int64_t{partition.value});
    log_->bind(2, after);
    PageLimit limit{options.max_events, options.max_bytes};
    LogPage page;
    page.upto = after;
    // Without a filter the page's own limits end it.
    const std::size_t scanned =
        options.filter.everything() ? options.max_events : positions_scanned(options);
    std::size_t seen = 0;
    while (log_->step()) {
        if (seen++ == std::max<std::size_t>(scanned, 1)) return page;
        const Position position{partition, log_->integer(0)};
        const std::string_view envelope = log_->bytes(1);
        if (wanted.may_be_in(envelope)) {
            RecordedEvent event = event_in(*log_, position, 1);
            const bool takes = options.filter.takes(event.at);
            if (takes && !limit.take(event)) return page;
            chain.next(event, identity_.id, incarnations);
            if (takes) page.events.push_back(std::move(event));
        } else {
            chain.pass_over(position, envelope, recorded_hash(log_->bytes(2), position),
                            identity_.id, incarnations);
        }
        page.upto = position.n;
    }
    page.end = true;
    return page;
}

ChainCheck SqliteReader::chain_behind(const Position& position) {
    if (position.n == 0) return {position.partition, 0, Hash{}};
    const sqlite::Running running{*hash_at_};
    hash_at_->bind(1, std::int64_t{position.partition.value});
    hash_at_->bind(2, position.n);
    if (!hash_at_->step()) missing_event(position, identity_.name);
    return {position.partition, position.n, recorded_hash(hash_at_->bytes(0), position)};
}

std::vector<LogHead> SqliteReader::heads() {
    const sqlite::Running running{*heads_};
    std::vector<LogHead> heads(static_cast<std::size_t>(identity_.partitions));
    std::int64_t rows = 0;
    for (; heads_->step(); ++rows) {
        if (heads_->integer(0) != rows || rows == identity_.partitions) break;
        LogHead& head = heads[static_cast<std::size_t>(rows)];
        head.n = heads_->integer(1);
        head.hash = Hash::from(heads_->bytes(2));
        head.recorded_at = Timestamp{std::chrono::microseconds{heads_->integer(3)}};
    }
    if (rows != identity_.partitions) {
        throw Divergence(identity_.name + " has no row, or another, for partition " +
                         std::to_string(rows) + " of its " + std::to_string(identity_.partitions) +
                         "; compare with a backup");
    }
    return heads;
}

std::vector<Incarnation> SqliteReader::incarnations() {
    return read_incarnations(connection_, identity_.partitions);
}

std::optional<std::string> SqliteReader::schema(std::string_view type, std::uint32_t revision) {
    const sqlite::Running running{*schema_};
    schema_->bind_text(1, type);
    schema_->bind(2, std::int64_t{revision});
    if (!schema_->step() || schema_->type(0) == sqlite::Type::null) return std::nullopt;
    return std::string{schema_->bytes(0)};
}

std::vector<StreamHead> SqliteReader::list_names(const NameRange& range, std::size_t limit) {
    const sqlite::Running running{*names_};
    names_->bind_text(1, range.after);
    if (range.before) {
        names_->bind_text(2, *range.before);
    } else {
        names_->bind_null(2);
    }
    names_->bind(3, static_cast<std::int64_t>(limit));
    std::vector<StreamHead> page;
    while (names_->step()) {
        page.push_back({StreamName::trusted(std::string{names_->text(0)}),
                        Version{names_->integer(1)}, names_->integer(2) != 0});
    }
    return page;
}

std::unique_ptr<SqliteReader> SqliteReaders::take() {
    const std::lock_guard lock{mutex_};
    if (idle_.empty()) return nullptr;
    std::unique_ptr<SqliteReader> reader = std::move(idle_.back());
    idle_.pop_back();
    return reader;
}

void SqliteReaders::give_back(std::unique_ptr<SqliteReader> reader) {
    const std::lock_guard lock{mutex_};
    if (idle_.size() < most_idle) idle_.push_back(std::move(reader));
}

}  // namespace recount
