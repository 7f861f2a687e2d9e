#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <recount/core/append.hpp>
#include <recount/core/environment.hpp>
#include <recount/core/event.hpp>

namespace recount {

/// Which store this is, and in which of its histories. A store keeps `id` for ever; `incarnation`
/// changes when it was restored to an earlier state and declared so.
struct StoreIdentity {
    Uuid id;
    Uuid incarnation;
    std::int32_t partitions = 16;
    std::string name;  // where it is, without secrets: "sqlite:shop.db", "postgresql://db/shop"
};

enum class Direction : std::uint8_t { forwards, backwards };

/// How much of a stream is read at a time, from where, and which way.
struct ReadStream {
    Version from{1};  // first version wanted; backwards: the last one, max means the head
    std::size_t max_events = 1000;
    std::size_t max_bytes = std::size_t{8} << 20;  // at least one event is returned all the same
    Direction direction = Direction::forwards;
    /// Only the beginning of the stream up to this time: the events before the first one that was
    /// recorded later (Envelope::recorded_at, the store's time, not occurred_at). That time never
    /// runs back within a stream, however clocks are set back: the store gives the last event's
    /// again until the clock has passed it. So what is read is never more, nor less, than the
    /// stream once was. It is the same for ever once all writers' clocks have passed `until`;
    /// before that a slow one may still record at an earlier time.
    std::optional<Timestamp> until = {};
};

/// Is given events one by one; each lives for the call only. False: no more are wanted.
using TakeEvent = std::function<bool(const RecordedEvent& event)>;

/// What command handling needs of a store. Implementations are thread-safe; all calls block.
class Streams {
public:
    virtual ~Streams() = default;

    [[nodiscard]] virtual const StoreIdentity& identity() const = 0;
    virtual Environment& environment() = 0;

    /// Appends in the order given, in one transaction, each with a verdict of its own: one conflict
    /// never fails its neighbours, and a later append of the group sees the earlier ones. When it
    /// throws, none was committed, except OutcomeUnknown, which leaves all of them open.
    /// InvalidArgument is thrown before any I/O.
    virtual std::vector<AppendResult> append(std::span<const Append> group) = 0;
    /// One append: committed, repeated or conflict; throws CommandReused, CommandExpired and
    /// StreamClosed.
    AppendResult append(const Append& one) { return accepted(append(std::span{&one, 1}).front()); }

    /// What became of a command id, if anything has. "Nothing" proves nothing: the append may still
    /// wait for a lock. To be certain, send it again or void it.
    virtual std::optional<CommandOutcome> find_outcome(std::string_view command_id) = 0;

    /// Claims a command id, so that the command can never happen; or returns what had happened
    /// first.
    virtual CommandOutcome void_command(std::string_view command_id) = 0;

    /// Throws Mismatch that names the fields when events of these types (full protobuf names) are
    /// stored that this program would misread. Asked before the first event is read; what was fine
    /// once is not looked at again. Nothing where no descriptors are kept.
    virtual void require_readable(std::span<const std::string_view> /*types*/) {}

    virtual StreamPage read_stream(const StreamName& stream, const ReadStream& options = {}) = 0;

    /// Gives a stream's events in order, from a version to its end, as long as `take` wants them;
    /// what it throws ends the visit. So many events, a page, are asked for at a time, and no more
    /// than a page is held. A store may keep a connection and a statement open meanwhile: `take` is
    /// quick and calls no store. Returns StreamPage::erasures as of before the first event was
    /// read.
    virtual std::int64_t visit_stream(const StreamName& stream, Version from, std::size_t page,
                                      const TakeEvent& take);
};

}  // namespace recount
