#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/streams.hpp>
#include <recount/eventstore/log.hpp>

namespace recount {

/// How a store is opened. The defaults suit a service; tests give an environment of their own.
struct StoreOptions {
    /// Fixed when the store is created and checked whenever it is opened; nothing takes what is
    /// there, and 16 for a new store.
    std::optional<std::int32_t> partitions = {};
    /// Creates the store when there is none. Turned off, a missing store is a Mismatch.
    bool create = true;
    /// A second process may read a SQLite store that another one writes.
    bool read_only = false;
    /// Of a SQLite store, false: synchronous=NORMAL. A commit no longer waits for the disk, and
    /// when the machine crashes (not when the program does) the last ones may be lost, from some
    /// moment on, whole. For what can be made again; after such a crash, declare_restored(), as
    /// after any loss. InvalidArgument for a store on PostgreSQL.
    bool durable = true;
    /// How long a statement may wait for a lock or the server for an answer.
    Duration timeout = std::chrono::seconds{10};
    std::size_t connections = 4;  // of a PostgreSQL store
    AppendLimits limits = {};
    Environment* environment = nullptr;  // nothing: the system's
};

/// A stream and how many events it holds.
struct StreamHead {
    StreamName stream;
    Version version;
    bool closed = false;
    friend bool operator==(const StreamHead&, const StreamHead&) = default;
};

/// Whether events may be truncated that no snapshot reaches beyond: nothing is left of what they
/// said, and the stream can be read only by a State with `evolve(State, const Erased&)`.
enum class NoSnapshot : std::uint8_t { refused, accepted };

/// How much a call of maintain() forgets, and in which steps.
struct MaintainOptions {
    /// How long it is remembered what became of a command; an hour at least.
    Duration keep_outcomes = std::chrono::hours{7 * 24};
    /// So many outcomes are looked at in one transaction, so that appends need not wait for long.
    std::size_t step = 1000;
    std::stop_token stop = {};  // ends after a step; the next call goes on
};

/// What maintain() did.
struct Maintained {
    std::int64_t outcomes = 0;  // removed
    /// What became of commands is remembered from here on. Never runs back.
    Timestamp horizon;
};

/// The event store: the log, and who decides what may be appended to it. Thread-safe. Every append
/// is atomic and exact, happens once under its command id, has positions in commit order, and is
/// chained to the events before it; see eventstore/README.md for the conditions of each.
class EventStore : public Streams, public Log {
public:
    [[nodiscard]] const StoreIdentity& identity() const override = 0;
    Environment& environment() override = 0;

    using Streams::append;

    /// The URL this store was opened with, to derive its neighbours (views) from. Holds secrets:
    /// never log it; `identity().name` is for that.
    [[nodiscard]] virtual const std::string& url() const = 0;

    /// Up to what this object appends: StoreOptions::limits. Other programs may have other ones.
    [[nodiscard]] virtual const AppendLimits& limits() const = 0;

    /// What was found when the store was opened and does not keep it from working, as faults of a
    /// library's or server's version: each says what it is, why it matters and how to mend it.
    [[nodiscard]] virtual const std::vector<std::string>& warnings() const = 0;

    /// Recomputes every hash and digest, partition by partition; then compares what no event's hash
    /// covers: columns beside envelopes, heads, rows of streams, the outcomes of commands, the
    /// descriptors of types. Throws Divergence that names the first bad position, or the stream or
    /// type, and UnreadableEvent that names the command id. Returns the heads that were reached.
    /// `progress` is told after each page. One read for every stream: it takes its time.
    virtual std::vector<LogHead> verify_chain(
        const std::function<void(const Position&)>& progress = {}) = 0;

    /// The file descriptor set (protobuf FileDescriptorSet bytes) under which a type's revision was
    /// stored; nothing when the type is unknown here.
    virtual std::optional<std::string> schema(std::string_view type, std::uint32_t revision) = 0;
    void require_readable(std::span<const std::string_view> types) override;

    /// The streams of a category (empty: all) whose names come behind `after`, in order of their
    /// bytes, at most `limit`. The next page begins behind the last one's name:
    ///     for (std::string after;;) {
    ///         auto page = store.list_streams("cart", after, 500);
    ///         if (page.empty()) break;
    ///         after = page.back().stream.full();
    ///     }
    virtual std::vector<StreamHead> list_streams(std::string_view category, std::string_view after,
                                                 std::size_t limit) = 0;

    /// Drops payload and salt of a stream's events `first` to `last`; their rows stay, so the chain
    /// still verifies, and readers get them erased (see Erased). So go the snapshots made of them,
    /// and none is kept of a state that was folded before. For ever; again is no error. In small
    /// transactions: when it throws, some may be erased, and the same call does the rest. Returns
    /// how many had a payload until now. Throws InvalidArgument when `first` is behind `last`.
    virtual std::int64_t erase(const StreamName& stream, Version first, Version last) = 0;
    /// The same with what precedes a version of a stream, whose State goes on from a snapshot that
    /// reaches there; such snapshots stay. Throws InvalidArgument when there is none, unless that
    /// is accepted.
    virtual std::int64_t truncate(const StreamName& stream, Version before,
                                  NoSnapshot none = NoSnapshot::refused) = 0;

    /// Closes a stream for ever with a last event (closing_event), once under its command id
    /// (empty: one is made): every later append to it gets the verdict `closed`, whatever is erased
    /// or truncated. So does this when another command closed it before; else as append().
    AppendResult close_stream(const StreamName& stream, CommandMetadata metadata = {},
                              std::string_view reason = {},
                              const Expected& expected = Expected::exists());

    /// Forgets what became of commands longer ago than `keep_outcomes`. Command ids in UUIDv7
    /// layout that were born before the horizon get the verdict `expired` from then on, unless
    /// their outcome is still there. To be called now and then, by one of a store's processes.
    virtual Maintained maintain(const MaintainOptions& options = {}) = 0;

private:
    std::mutex readable_mutex_;
    std::set<std::string, std::less<>> readable_;  // types that were looked at, and are fine
};

/// Opens the store that a URL names, creating it when there is none:
///     memory:                                             gone with the object
///     sqlite:PATH                                         a file; durable; one writing process
///     postgresql://USER@HOST:PORT/DATABASE?schema=NAME    a schema of its own
/// Throws InvalidArgument for another scheme or a missing folder, Mismatch for a foreign file,
/// another partition count or a newer schema (nothing is touched), Unavailable when it cannot be
/// reached.
std::unique_ptr<EventStore> open_store(const std::string& url, const StoreOptions& options = {});

/// Says of a store that it was brought back to an earlier state, from a backup or by a failover
/// that lost commits: opens a new incarnation that forks where each partition ends now, and returns
/// it. The chain goes on from Incarnation::origin; whatever was seen of the lost events is refused
/// from then on (see still_holds). A store of this URL that is open must be opened again: it
/// appends no more (PostgreSQL), or keeps this from being done (SQLite: Unavailable). A store in
/// memory cannot be restored: InvalidArgument. A SQLite file is verified first, as by
/// verify_chain(): Mismatch when it is damaged. `create` and `read_only` of the options are left
/// out of account.
Incarnation declare_restored(const std::string& url, const StoreOptions& options = {});

}  // namespace recount
