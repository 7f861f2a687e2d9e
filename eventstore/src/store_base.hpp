#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/snapshots.hpp>
#include <recount/eventstore/event_store.hpp>
#include <recount/eventstore/import.hpp>

#include "append_metrics.hpp"
#include "append_plan.hpp"
#include "import_chunk.hpp"
#include "retention.hpp"
#include "stored_rows.hpp"

namespace recount {

/// What a new store begins with: an id for ever and its first incarnation.
StoreIdentity new_identity(std::int32_t partitions, std::string name, Environment& environment);
Incarnation first_incarnation(const StoreIdentity& identity, Timestamp now);
/// The one that follows a restore; `heads` are as stored, whatever the partition holds.
Incarnation next_incarnation(const Incarnation& living, std::vector<LogHead> heads,
                             Environment& environment);

/// What a row holds of an event itself; salt and payload are nothing when they were erased.
struct EventParts {
    Position position;
    std::string_view envelope, hash;
    std::optional<std::string_view> salt, payload;
};
/// Reads them into an event, whose strings keep the memory they have. Throws Divergence when the
/// envelope cannot be read.
void read_event(const EventParts& parts, RecordedEvent& into);
RecordedEvent recorded_event(const EventParts& parts);
/// The hash in the row of an event; throws Divergence, which names the position, when it is none.
Hash recorded_hash(std::string_view bytes, const Position& position);

/// Throws Divergence when a row read as an event of a stream holds another, or another payload than
/// its envelope says. (That it is the right envelope only the chain can tell.)
void check_row(const RecordedEvent& event, const StreamName& stream, Version version);

/// How many positions a filtered page looks through at most.
inline std::size_t positions_scanned(const ReadLog& options) {
    return std::clamp<std::size_t>(options.max_scanned, 1, 1'000'000);
}

/// Says that the log ends before a position that its reader has seen.
[[noreturn]] void missing_event(const Position& position, const std::string& store);

/// What a conflict brings of a stream: see Conflict::missed.
ReadStream missed_of(const Append& append, const FailedCheck& failed);

/// Where the page that goes with a snapshot begins.
inline Version first_of(const std::optional<Snapshot>& snapshot, std::int64_t fold) {
    return snapshot && snapshot->fold == fold ? snapshot->version : Version{1};
}

/// Takes events for a page until one of its limits is reached.
class PageLimit {
public:
    PageLimit(std::size_t max_events, std::size_t max_bytes)
        : events_(std::clamp<std::size_t>(max_events, 1, most_events)), bytes_(max_bytes) {}

    /// However many are asked for.
    static constexpr std::size_t most_events = 1'000'000;

    /// False: the page is full, the event belongs to the next one.
    bool take(const RecordedEvent& event) {
        const std::size_t size =
            event.envelope.size() + (event.payload ? event.payload->size() : 0);
        if (taken_ == events_ || (taken_ > 0 && size_ + size > bytes_)) return false;
        ++taken_;
        size_ += size;
        return true;
    }
    [[nodiscard]] bool reached() const {
        return events_left() == 0 || (taken_ > 0 && bytes_left() == 0);
    }
    [[nodiscard]] std::size_t events_left() const { return events_ - taken_; }
    [[nodiscard]] std::size_t bytes_left() const { return bytes_ - std::min(bytes_, size_); }

private:
    std::size_t events_, bytes_;
    std::size_t taken_ = 0, size_ = 0;
};

/// When a wait ends.
class Deadline {
public:
    Deadline(Environment& environment, Duration at_most);
    [[nodiscard]] Duration left() const;
    [[nodiscard]] bool passed() const { return left() <= Duration{0}; }

private:
    Clock& clock_;
    std::chrono::nanoseconds end_;
};

/// Waits until it holds; looks again whenever the signal is raised.
bool wait_until(Signal& raised, const Deadline& deadline, const std::stop_token& stop,
                const std::function<bool()>& holds);

/// True when some partition's head is beyond what was seen.
bool any_beyond(const std::vector<LogHead>& heads, const Positions& seen);

/// Names of streams between two others; nothing: no end.
struct NameRange {
    std::string after;
    std::optional<std::string> before;
};

/// Those of a category (empty: all) behind a name. Throws InvalidArgument for what is no category.
NameRange names_of(std::string_view category, std::string_view after);

/// Events of a stream that lose their payloads, and with them the snapshots of the stream that
/// reach from `first` to `snapshots`.
struct Erasure {
    Version first, last;
    Version snapshots;
    bool forgets = true;  // counted: what was folded of the events is not to be kept either
};

/// What the stores of one process have in common.
class StoreBase : public EventStore, public SnapshotStore {
public:
    [[nodiscard]] const StoreIdentity& identity() const final { return identity_; }
    Environment& environment() final { return environment_; }
    [[nodiscard]] const std::string& url() const final { return url_; }
    [[nodiscard]] const AppendLimits& limits() const final { return limits_; }
    [[nodiscard]] const std::vector<std::string>& warnings() const final { return warnings_; }

    using EventStore::append;
    std::vector<AppendResult> append(std::span<const Append> group) final;
    StreamPage read_stream(const StreamName& stream, const ReadStream& options) final;
    LogPage read(Partition partition, std::int64_t after, const ReadLog& options) final;
    std::vector<StreamHead> list_streams(std::string_view category, std::string_view after,
                                         std::size_t limit) final;
    std::vector<LogHead> verify_chain(const std::function<void(const Position&)>& progress) final;
    std::int64_t erase(const StreamName& stream, Version first, Version last) final;
    std::int64_t truncate(const StreamName& stream, Version before, NoSnapshot none) final;
    void keep_snapshot(const StreamName& stream, const Snapshot& snapshot) final;
    Maintained maintain(const MaintainOptions& options) final;

    /// See import_events().
    Imported take_import(const ImportOptions& options, const ImportSource& source);

protected:
    StoreBase(std::string url, const StoreOptions& options);

    /// `appends` is not empty and within the limits.
    virtual std::vector<AppendResult> append_checked(std::span<const Append> appends) = 0;
    /// Makes a chunk's rows ready, while another thread writes the one `before`, or while none is
    /// being written. Nothing: import_chunk() makes them.
    virtual std::unique_ptr<StagedChunk> stage_chunk(const ImportChunk& /*chunk*/,
                                                     const StagedChunk* /*before*/) {
        return {};
    }
    /// One transaction. The chunk has events, within the limits. `staged`: what stage_chunk() made
    /// of it, or null.
    virtual AppendResult import_chunk(const ImportChunk& chunk, StagedChunk* staged) = 0;
    /// Waits until whatever can be read of the log has reached where commits must have reached.
    virtual void confirm_found() {}
    /// `until` is nothing.
    virtual StreamPage read_stream_page(const StreamName& stream, const ReadStream& options) = 0;
    /// All events; `upto` need not be set. `after` is not negative, the partition is there.
    virtual LogPage read_log_page(Partition partition, std::int64_t after,
                                  const ReadLog& options) = 0;
    /// Those that the filter takes; as it stands here, by reading all.
    virtual LogPage read_filtered_page(Partition partition, std::int64_t after,
                                       const ReadLog& options);
    virtual std::vector<StreamHead> list_names(const NameRange& range, std::size_t limit) = 0;
    /// One transaction; returns how many events had a payload.
    virtual std::int64_t erase_some(const StreamName& stream, const Erasure& what) = 0;
    /// Whether one of the stream's reaches a version.
    virtual bool has_snapshot(const StreamName& stream, Version at_least) = 0;
    /// Later is early enough, and so is never.
    virtual void put_snapshot(const StreamName& stream, const Snapshot& snapshot) = 0;
    /// Commits the later of this and the horizon that is there, and returns it.
    virtual Timestamp raise_horizon(Timestamp horizon) = 0;
    /// Those behind a command id, in order of their bytes, with or without what they hold. That of
    /// an imported chunk names all its streams.
    virtual std::vector<OutcomeRow> outcome_rows(std::string_view after, std::size_t limit,
                                                 bool with_bytes) = 0;
    virtual void forget_outcomes(const std::vector<std::string_view>& command_ids) = 0;
    virtual std::vector<RevisionRow> revision_rows() = 0;
    /// Those of the first events behind a position; none where envelopes have no columns beside
    /// them.
    virtual std::vector<EventColumns> event_columns(Partition partition, std::int64_t after,
                                                    std::size_t limit) = 0;
    /// Throws when this store was opened to be read only.
    virtual void check_writable() const {}
    /// Throws InvalidArgument for a partition that the store does not have.
    void check_partition(Partition partition) const;
    /// The last event of a stream before the first one that is `later`; 0 when there is none.
    Version last_before(const StreamName& stream,
                        const std::function<bool(const RecordedEvent&)>& later);
    /// Reads what the conflict of an append that asked for it missed.
    void add_missed(const Append& append, Conflict& conflict);

    std::string url_;
    Environment& environment_;
    AppendLimits limits_;
    AppendMetrics metrics_;
    StoreIdentity identity_;
    std::vector<std::string> warnings_;  // see warnings(); set before the store is handed out

private:
    std::int64_t erase_in_steps(const StreamName& stream, const Erasure& what);
    Version head_of(const StreamName& stream);
    LogHead verify_partition(Partition partition,
                             const std::function<void(const Position&)>& progress);
    void verify_streams();
    void verify_stream(const StreamHead& head, const NameRange& range);
};

}  // namespace recount
