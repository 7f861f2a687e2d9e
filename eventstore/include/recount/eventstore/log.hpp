#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/environment.hpp>
#include <recount/core/event.hpp>
#include <recount/core/streams.hpp>

namespace recount {

/// The last event of a partition: its number (0: none), its hash (the origin's when none), its
/// time.
struct LogHead {
    std::int64_t n = 0;
    Hash hash;
    Timestamp recorded_at;
    friend bool operator==(const LogHead&, const LogHead&) = default;
};

/// One history of a store. A store begins with one; each declared lossy restore adds another, which
/// shares its parent's events up to the fork.
struct Incarnation {
    Uuid id;
    std::optional<Uuid> parent;
    Timestamp began_at;
    std::vector<LogHead> forks;  // for each partition, the last event shared with the parent

    /// The hash from which this incarnation's chain begins in a partition.
    [[nodiscard]] Hash origin(const Uuid& store, Partition partition) const;
};

/// True when positions taken in `seen.incarnation` still mean the same in the newest of
/// `incarnations`: it is that one, or each position is at or before every fork that followed.
bool still_holds(const StorePositions& seen, const std::vector<Incarnation>& incarnations);

/// Which events of a log its reader wants: those of any of these categories that are also of any of
/// these types. An empty list takes all.
struct LogFilter {
    std::vector<std::string> categories = {};
    std::vector<std::string> types = {};  // protobuf full names, as stored

    [[nodiscard]] bool everything() const { return categories.empty() && types.empty(); }
    [[nodiscard]] bool takes(const Envelope& event) const;
};

/// How much of a partition is read at a time, and which of its events.
struct ReadLog {
    std::size_t max_events = 1000;
    std::size_t max_bytes = std::size_t{8} << 20;  // at least one event is returned all the same
    LogFilter filter = {};
    /// So many positions at most are looked through for a page when there is a filter.
    std::size_t max_scanned = 10'000;
};

/// Events of one partition, in order: consecutive ones, or those of a stretch that a filter takes.
struct LogPage {
    std::vector<RecordedEvent> events;
    bool end = false;       // there was nothing in the log behind `upto`
    std::int64_t upto = 0;  // all up to here is here or was left out; the next page begins behind
    /// Where the log found the event at `upto`, for remember(). Nothing: it needs no reminder.
    std::optional<std::int64_t> place = {};
};

/// All events of a store, partition by partition: read from the store itself, or from the Kafka
/// topic that carries it. Projections, sagas and the relay know only this. Thread-safe; all calls
/// block.
///
/// Events of a partition come in order and without gaps; whoever has seen n has seen all before n.
class Log {
public:
    virtual ~Log() = default;

    [[nodiscard]] virtual const StoreIdentity& identity() const = 0;
    virtual Environment& environment() = 0;
    /// Oldest first; the last is the living one.
    virtual std::vector<Incarnation> incarnations() = 0;

    /// The events of a partition behind the n-th. Throws Divergence when the chain does not hold.
    ///
    /// With a filter, only those that it takes; a page may then hold none although more follow.
    /// Keep its `upto` as one keeps a position, matches or not, and no stretch is read twice:
    ///     LogPage page;
    ///     do {
    ///         page = log.read(partition, page.upto, {.filter = {.types = {"shop.OrderPlaced"}}});
    ///         for (const RecordedEvent& event : page.events) handle(event);
    ///     } while (!page.end);
    /// Of events that were left out numbers and hashes are checked, so none was left out that says
    /// in its envelope that it is wanted, and none is missing; their payloads are not looked at.
    virtual LogPage read(Partition partition, std::int64_t after, const ReadLog& options = {}) = 0;

    /// Where this log had found the event at a position, perhaps in another process: the `place` of
    /// the page that ended there, to be told before what follows is read or waited for. A hint for
    /// logs that would have to look for the position otherwise. It is checked before it is used: a
    /// wrong one costs a look and nothing else. Stores need none.
    virtual void remember(const Position&, std::int64_t /*place*/) {}

    /// As Streams::require_readable. Nothing where no store is at hand.
    virtual void require_readable(std::span<const std::string_view> /*types*/) {}

    /// One entry a partition, freshly read.
    virtual std::vector<LogHead> heads() = 0;

    /// Waits until some partition holds more than `seen`; false at the time-out or when asked to
    /// stop. A partition that is seen up to the largest number is not looked at.
    virtual bool wait(const Positions& seen, Duration at_most, std::stop_token stop = {}) = 0;
};

/// A filtered page of a log that can only give all events: for those who implement Log. `read` does
/// what Log::read does without a filter.
LogPage filter_pages(std::int64_t after, const ReadLog& options,
                     const std::function<LogPage(std::int64_t after, const ReadLog&)>& read);

/// Checks, event by event, that one partition's chain holds. A value.
class ChainCheck {
public:
    /// From the beginning of a store's chain, or behind an event that was checked before.
    ChainCheck(Partition partition, std::int64_t n, const Hash& hash)
        : partition_(partition), n_(n), hash_(hash) {}

    /// Throws Divergence that names the position, and what did not fit: number, hash or payload
    /// digest. `incarnations` and `store` let the chain cross a fork.
    void next(const RecordedEvent& event, const Uuid& store,
              const std::vector<Incarnation>& incarnations);

    /// The same of an event whose payload nobody wants: number and hash.
    void pass_over(const Position& position, std::string_view envelope, const Hash& hash,
                   const Uuid& store, const std::vector<Incarnation>& incarnations);

    [[nodiscard]] std::int64_t n() const { return n_; }
    [[nodiscard]] const Hash& hash() const { return hash_; }

private:
    Partition partition_;
    std::int64_t n_;
    Hash hash_;
};

}  // namespace recount
