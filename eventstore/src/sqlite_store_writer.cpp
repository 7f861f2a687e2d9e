#include "sqlite_store_writer.hpp"

#include <recount/core/error.hpp>

#include "retention.hpp"
#include "type_schema.hpp"

namespace recount {
namespace {

/// Beyond it all are forgotten: a few megabytes.
constexpr std::size_t most_streams = 50'000;

std::int64_t micros(Timestamp when) { return when.time_since_epoch().count(); }

}  // namespace

SqliteWriter::SqliteWriter(const std::string& path, const StoreOptions& options,
                           const SqliteStoreFile& file, Environment& environment)
    : context_{file.identity, living_origins(file.identity, file.incarnations),
               [this](std::string_view type) { return types_.find(type)->second.revision; }},
      file_(file),
      environment_(environment),
      connection_(path, {.create = false, .durable = options.durable, .timeout = options.timeout}),
      heads_(static_cast<std::size_t>(file.identity.partitions)) {
    // What is removed or replaced, an erased payload above all, leaves no bytes in the file.
    connection_.exec("pragma secure_delete = on");
    const auto prepare = [this](std::string_view sql) { return connection_.prepare(sql); };
    data_version_ = prepare("pragma data_version");
    head_ = prepare("select position, hash, recorded_at from partition where partition = ?");
    stream_ = prepare("select id, closed from stream where name = ?");
    version_ = prepare("select max(version) from event where stream = ?");
    outcome_ = prepare("select bytes from outcome where command_id = ?");
    revisions_ = prepare(
        "select id, revision, fingerprint, descriptors from schema where type = ? "
        "order by revision");
    add_event_ = prepare(
        "insert into event (partition, position, stream, version, schema, envelope, hash, salt, "
        "payload) values (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    add_stream_ = prepare("insert into stream (name) values (?)");
    close_stream_ = prepare("update stream set closed = 1 where id = ?");
    add_outcome_ = prepare("insert into outcome values (?, ?, ?, ?)");
    add_schema_ = prepare(
        "insert into schema (type, revision, fingerprint, descriptors) "
        "values (?, ?, ?, ?)");
    set_head_ = prepare(
        "update partition set position = ?, hash = ?, recorded_at = ? "
        "where partition = ?");
}

AppendPlan SqliteWriter::append(AppendGroup group) {
    const Touched touched = touched_by(group, context_.identity.partitions);
    return committed([&] { return append_locked(group, touched); });
}

AppendPlan SqliteWriter::committed(const std::function<AppendPlan()>& write) {
    connection_.begin_write();
    try {
        AppendPlan plan = write();
        write_snapshots();
        connection_.commit();
        new_types_.clear();
        snapshots_.clear();
        remember(plan);
        return plan;
    } catch (...) {
        connection_.rollback();
        for (const std::string& type : new_types_) types_.erase(type);
        new_types_.clear();
        snapshots_.clear();  // it may be they for which there was no room
        throw;
    }
}

void SqliteWriter::require_in_place() const {
    if (!file_.lock->is_still_there()) {
        throw Mismatch("the lock file of " + file_.identity.name + " was removed or replaced " +
                       "while the store was open, so that another process may write it, too; " +
                       "nothing was written: end all that write it, and open it again");
    }
    if (file_.header->is_still_there()) return;
    throw Mismatch(file_.identity.name + " is no longer the store that was opened: its file " +
                   "was replaced or removed; nothing was written: open it again, and declare "
                   "it restored when it is a backup");
}

AppendPlan SqliteWriter::append_locked(AppendGroup group, const Touched& touched) {
    forget_if_others_wrote();
    const KnownState known = read_known(touched);
    register_types(touched);
    AppendPlan plan =
        plan_append(group, touched, known, context_, environment_.clock.now(), environment_.random);
    write(plan);
    return plan;
}

CommandOutcome SqliteWriter::void_command(std::string_view command_id) {
    return in_transaction([&] {
        forget_if_others_wrote();
        if (auto outcome = read_outcome(command_id)) return *std::move(outcome);
        if (expired(command_id, horizon_)) {
            throw CommandExpired(expired_message(command_id, horizon_));
        }
        CommandOutcome outcome =
            voided_outcome(command_id, context_.identity, environment_.clock.now());
        write_outcome({command_id, outcome.kind, outcome.recorded_at, encode(outcome)});
        return outcome;
    });
}

KnownState SqliteWriter::read_known(const Touched& touched) {
    KnownState known = KnownState::for_all(touched);
    for (std::size_t i = 0; i < touched.partitions.size(); ++i) {
        known.heads[i] = read_head(touched.partitions[i]);
        LogHead& seen = heads_[static_cast<std::size_t>(touched.partitions[i].value)];
        require_no_step_back(context_.identity.name, touched.partitions[i], seen, known.heads[i]);
        if (seen != known.heads[i]) require_last_event(touched.partitions[i], known.heads[i]);
        seen = known.heads[i];
    }
    touched_streams_.clear();
    remembered_.clear();
    for (std::size_t i = 0; i < touched.streams.size(); ++i) {
        const auto found = streams_.find(touched.streams[i]);
        remembered_.push_back(found == streams_.end() ? nullptr : &found->second);
        touched_streams_.push_back(remembered_.back() != nullptr ? *remembered_.back()
                                                                 : read_stream(touched.streams[i]));
        known.versions[i] = touched_streams_.back().version;
        known.closed[i] = touched_streams_.back().closed;
    }
    for (std::size_t i = 0; i < touched.command_ids.size(); ++i) {
        known.outcomes[i] = read_outcome(touched.command_ids[i]);
    }
    known.horizon = horizon_;
    return known;
}

SqliteWriter::Stream SqliteWriter::read_stream(std::string_view name) {
    Stream stream;
    const sqlite::Running running{*stream_};
    stream_->bind_text(1, name);
    if (!stream_->step()) return stream;
    stream.id = stream_->integer(0);
    stream.closed = stream_->integer(1) != 0;
    const sqlite::Running counting{*version_};
    version_->bind(1, stream.id);
    if (version_->step()) stream.version.value = version_->integer(0);
    return stream;
}

/// The lock file keeps other processes of recount away, but not a person with a SQLite shell, nor
/// one who moves a backup over the file: what is written to the old one then, nobody reads.
void SqliteWriter::forget_if_others_wrote() {
    require_in_place();
    const sqlite::Running running{*data_version_};
    data_version_->step();
    const std::int64_t version = data_version_->integer(0);
    if (version == seen_data_version_) return;
    streams_.clear();
    types_.clear();
    horizon_ = read_horizon();
    seen_data_version_ = version;  // only now that nothing failed
}

Timestamp SqliteWriter::read_horizon() {
    return Timestamp{std::chrono::microseconds{connection_.number("select horizon from store")}};
}

void SqliteWriter::remember(const AppendPlan& plan) {
    const bool full = streams_.size() + plan.versions.size() > most_streams;
    if (full) streams_.clear();
    for (const PlannedHead& grown : plan.heads) {
        heads_[static_cast<std::size_t>(grown.partition.value)] = grown.head;
    }
    for (const PlannedVersion& grown : plan.versions) {
        const Stream now{touched_streams_[grown.stream_index].id, grown.version, grown.closed};
        Stream* remembered = remembered_[grown.stream_index];
        if (remembered != nullptr && !full) {
            *remembered = now;
        } else {
            streams_.insert_or_assign(std::string{grown.stream}, now);
        }
    }
}

std::optional<CommandOutcome> SqliteWriter::read_outcome(std::string_view command_id) {
    const sqlite::Running running{*outcome_};
    outcome_->bind_text(1, command_id);
    if (!outcome_->step()) return std::nullopt;
    return decode_outcome(command_id, outcome_->bytes(0));
}

void SqliteWriter::write(const AppendPlan& plan) {
    std::string_view type;
    for (const PlannedEvent& event : plan.events) write_event(event, type);
    for (const PlannedHead& grown : plan.heads) {
        set_head_->bind(1, grown.head.n);
        set_head_->bind_bytes(2, grown.head.hash.view());
        set_head_->bind(3, micros(grown.head.recorded_at));
        set_head_->bind(4, std::int64_t{grown.partition.value});
        set_head_->run();
    }
    for (const PlannedVersion& grown : plan.versions) {
        if (!grown.closed) continue;
        close_stream_->bind(1, touched_streams_[grown.stream_index].id);
        close_stream_->run();
    }
    for (const PlannedOutcome& outcome : plan.outcomes) write_outcome(outcome);
}

/// `type` is that of the event before: neighbours mostly share it, so it is rarely looked up.
void SqliteWriter::write_event(const PlannedEvent& event, std::string_view& type) {
    Stream& stream = touched_streams_[event.stream_index];
    if (stream.id == 0) add_stream(event.stream, stream);
    add_event_->bind(3, stream.id);
    if (event.type != type) {
        type = event.type;
        add_event_->bind(5, types_.find(type)->second.id);
    }
    add_event_->bind(1, std::int64_t{event.position.partition.value});
    add_event_->bind(2, event.position.n);
    add_event_->bind(4, event.version.value);
    add_event_->bind_bytes(6, event.envelope);
    add_event_->bind_bytes(7, event.hash.view());
    add_event_->bind_bytes(8, event.salt);
    add_event_->bind_bytes(9, event.payload);
    add_event_->run();
}

void SqliteWriter::write_outcome(const PlannedOutcome& outcome) {
    add_outcome_->bind_text(1, outcome.command_id);
    add_outcome_->bind(2, static_cast<std::int64_t>(outcome.kind));
    add_outcome_->bind(3, micros(outcome.recorded_at));
    add_outcome_->bind_bytes(4, outcome.bytes);
    add_outcome_->run();
}

void SqliteWriter::add_stream(std::string_view name, Stream& stream) {
    add_stream_->bind_text(1, name);
    add_stream_->run();
    stream.id = connection_.last_inserted();
}

void SqliteWriter::register_types(const Touched& touched) {
    for (const std::string_view type : touched.types) {
        if (types_.contains(type)) continue;
        new_types_.emplace_back(type);
        types_[std::string{type}] = register_type(type);
    }
}

SqliteWriter::Registered SqliteWriter::register_type(std::string_view type) {
    const TypeSchema schema = schema_in_program(type);
    std::vector<StoredSchema> stored;
    {
        const sqlite::Running running{*revisions_};
        revisions_->bind_text(1, type);
        while (revisions_->step()) {
            StoredSchema& one = stored.emplace_back();
            one.revision = revisions_->integer(1);
            if (revisions_->type(3) != sqlite::Type::null) {
                one.descriptors.emplace(revisions_->bytes(3));
            }
            if (revisions_->bytes(2) == schema.fingerprint.view()) {
                return {revisions_->integer(0), static_cast<std::uint32_t>(one.revision)};
            }
        }
    }
    check_evolution(type, stored, context_.identity.name);
    const std::int64_t revision = stored.empty() ? 1 : stored.back().revision + 1;
    add_schema_->bind_text(1, type);
    add_schema_->bind(2, revision);
    add_schema_->bind_bytes(3, schema.fingerprint.view());
    if (schema.descriptors) {
        add_schema_->bind_bytes(4, *schema.descriptors);
    } else {
        add_schema_->bind_null(4);
    }
    add_schema_->run();
    return {connection_.last_inserted(), static_cast<std::uint32_t>(revision)};
}

}  // namespace recount
