#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/event.hpp>
#include <recount/core/stream.hpp>
#include <recount/core/values.hpp>

namespace recount {

/// A command's expected "no".
struct Rejection {
    std::string code;    // stable, for programs: "cart_closed"
    std::string detail;  // for people
    friend bool operator==(const Rejection&, const Rejection&) = default;
};

/// What must be true of a stream at the moment of the commit.
class Expected {
public:
    enum class Kind : std::uint8_t { any, no_stream, exists, exactly };

    static Expected any() { return Expected{Kind::any, {}}; }
    static Expected no_stream() { return Expected{Kind::no_stream, {}}; }
    static Expected exists() { return Expected{Kind::exists, {}}; }
    /// exactly({0}) is the same as no_stream().
    static Expected exactly(Version version) {
        return version.value == 0 ? no_stream() : Expected{Kind::exactly, version};
    }

    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] Version version() const { return version_; }
    [[nodiscard]] bool holds(Version actual) const;
    friend bool operator==(const Expected&, const Expected&) = default;

private:
    Expected(Kind kind, Version version) : kind_(kind), version_(version) {}
    Kind kind_;
    Version version_;
};

std::string to_string(const Expected& expected);  // "any", "no stream", "exists", "version 7"

/// Events for one stream.
struct StreamWrite {
    StreamName stream;
    Expected expected = Expected::any();
    std::vector<NewEvent> events;  // at least one
};

/// A stream that is not written, but must be as expected for the append to hold.
struct StreamCheck {
    StreamName stream;
    Expected expected;
};

/// What a command says about itself besides its content. Names and headers hold no personal data.
struct CommandMetadata {
    std::string command_id;  // empty: a UUIDv7 is made, and refusals are not remembered
    std::string correlation_id;
    std::string causation_id;
    std::string traceparent;  // of where it began, in the form of W3C's Trace Context; or empty
    std::map<std::string, std::string> headers;
    std::optional<Timestamp> occurred_at;  // nothing: the moment of recording
};

struct Append;
struct Conflict;

/// Decides an append anew on the pages that its conflict brought (perhaps none): the same command,
/// on streams that it had. Nothing: the conflict stands. `failed` may know of more than the pages
/// do.
using DecideAgain = std::function<std::optional<Append>(const Conflict& conflict)>;

/// One append: several streams written and others checked, all or nothing, once under its command
/// id. Without writes it records that the command decided nothing, or was refused.
struct Append {
    CommandMetadata metadata;  // command_id is required here
    Hash request;              // of the command's content: a repeat must bring the same
    std::vector<StreamWrite> writes;
    std::vector<StreamCheck> checks;
    std::optional<Rejection> rejection;  // only without writes
    std::vector<StorePositions> after;   // what the writer had seen
    /// Command id of an earlier append of the same group: this one was decided on what that leaves,
    /// and conflicts unless that is committed with it. A version alone would not do: somebody else
    /// may have brought the stream to it. Empty: decided on what the store held.
    std::string follows = {};
    std::size_t missed_events = 0;  // a conflict brings so many of each stream: see Conflict
    /// Asked by a store that can keep others from the streams meanwhile, so that a command that
    /// lost to another process does not lose again; one that cannot says conflict. Asked in the
    /// order of the group, by any thread, and again where the group has to be written otherwise; it
    /// must be quick and call no store. What it throws leaves the conflict.
    DecideAgain decide_again = {};
};

/// Where the events of one stream of an append went.
struct StreamAppended {
    StreamName stream;
    Version first, last;
    Position first_position;  // the events of one write need not be neighbours of another's
    friend bool operator==(const StreamAppended&, const StreamAppended&) = default;
};

/// What became of a command id. Recorded in the append's own transaction; a repeat gets the same.
struct CommandOutcome {
    enum class Kind : std::uint8_t { events = 1, nothing = 2, refused = 3, voided = 4 };

    std::string command_id;
    Kind kind = Kind::nothing;
    Hash request;
    std::vector<StreamAppended> streams;
    Rejection rejection;
    Timestamp recorded_at;
    StorePositions
        reached;  // covers every event of the append; for others what the decision had seen
    friend bool operator==(const CommandOutcome&, const CommandOutcome&) = default;
};

/// The outcome's bytes (recount.v1.Outcome in recount/envelope.proto), as stores keep them.
std::string encode(const CommandOutcome& outcome);
/// The same for a single event, up to its position, which is not known before it is written.
/// Whoever writes it appends the position as eight bytes, big-endian, then 4A 10 and the first 16
/// bytes of SHA-256("recount/outcome/1" and all before the 4A).
std::string encode_unplaced(CommandOutcome outcome);
/// Of an outcome of a single event: it is the `n`th of its partition.
void place_at(CommandOutcome& outcome, std::int64_t n);
/// What became of `command_id`. Throws UnreadableEvent, which names it, when the bytes are not what
/// encode() made for it: they carry a digest of themselves.
CommandOutcome decode_outcome(std::string_view command_id, std::string_view bytes);

/// An expectation that did not hold, and what there was in its place.
struct FailedCheck {
    StreamName stream;
    Expected expected;
    Version actual;
    bool closed = false;  // and was to be written, whatever was expected
    friend bool operator==(const FailedCheck&, const FailedCheck&) = default;
};

/// Every expectation that did not hold. Nothing was written.
struct Conflict {
    std::vector<FailedCheck> failed;
    /// When Append::missed_events asks for them, one page for each of `failed`: what the stream
    /// holds now, from the version that was expected on. Its first event is the one at that version
    /// (where an exact one was expected), so that a reader can see whether it knows the same
    /// history. Empty all the same when they could not be read after the verdict was given.
    std::vector<StreamPage> missed;
};

std::string to_string(const Conflict& conflict);

/// The verdict on one append of a group.
struct [[nodiscard]] AppendResult {
    enum class Kind : std::uint8_t {
        committed,  // now
        repeated,   // the first outcome under this id, from before
        conflict,   // expectations failed; nothing written
        reused,     // the id stands for other content; nothing written
        expired,    // the id is older than what is remembered; nothing written
        closed,     // a stream was closed, for ever; nothing written
    };
    Kind kind = Kind::conflict;
    std::optional<CommandOutcome> outcome;  // when committed or repeated
    Conflict conflict;                      // when conflict or closed
    std::string message;  // when reused, expired or closed: what an exception would say
};

/// Throws CommandReused, CommandExpired or StreamClosed when that is the verdict; else returns it.
AppendResult accepted(AppendResult result);

/// Limits, refused before any I/O with InvalidArgument. Correlation id, causation id and
/// traceparent have at most 255 bytes each, like a command id.
struct AppendLimits {
    std::size_t event_bytes =
        (std::size_t{1} << 20) - 20480;  // 1 MiB less headers: Kafka's default
    std::size_t append_bytes = std::size_t{4} << 20;
    std::size_t append_events = 1000;
    std::size_t metadata_entries = 64;
    std::size_t metadata_bytes = 8192;
    std::size_t after_bytes = 6144;  // of `after`, encoded: it goes into every envelope
};

/// Throws InvalidArgument when an append breaks a limit, writes a stream twice, checks one that it
/// writes, writes on behind a closing event, carries no command id, holds text that is not UTF-8 or
/// has control characters, a traceparent that is none, or mixes writes with a rejection.
void check_append(const Append& append, const AppendLimits& limits = {});

/// The same for one event of an import named `from`, and what is said about it.
void check_event(std::string_view from, const StreamName& stream, const NewEvent& event,
                 const CommandMetadata& metadata, const AppendLimits& limits);

/// The hash of an append's content, for callers who build appends by hand: streams, expectations,
/// types and payloads.
Hash request_hash(const Append& append);

}  // namespace recount
