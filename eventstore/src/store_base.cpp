#include "store_base.hpp"

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>
#include <recount/core/utf8.hpp>

#include <algorithm>

#include "append_log.hpp"

namespace recount {
namespace {

constexpr std::size_t most_listed = 100'000;

/// Keeps ends within what the clock can count.
constexpr Duration longest_wait = std::chrono::hours{24 * 365};

}  // namespace

StoreIdentity new_identity(std::int32_t partitions, std::string name, Environment& environment) {
    return {new_uuid7(environment), new_uuid7(environment), partitions, std::move(name)};
}

Incarnation first_incarnation(const StoreIdentity& identity, Timestamp now) {
    Incarnation incarnation;
    incarnation.id = identity.incarnation;
    incarnation.began_at = now;
    incarnation.forks.resize(static_cast<std::size_t>(identity.partitions));
    return incarnation;
}

Incarnation next_incarnation(const Incarnation& living, std::vector<LogHead> heads,
                             Environment& environment) {
    return {new_uuid7(environment), living.id, environment.clock.now(), std::move(heads)};
}

void read_event(const EventParts& parts, RecordedEvent& into) {
    try {
        decode_envelope(parts.envelope, into.at);
    } catch (const UnreadableEvent& error) {
        throw Divergence("position " + to_string(parts.position) + ": " + error.what());
    }
    into.at.position = parts.position;
    into.hash = recorded_hash(parts.hash, parts.position);
    into.envelope = parts.envelope;
    into.salt = parts.salt.value_or(std::string_view{});
    into.payload = parts.payload;
}

RecordedEvent recorded_event(const EventParts& parts) {
    RecordedEvent event;
    read_event(parts, event);
    return event;
}

Hash recorded_hash(std::string_view bytes, const Position& position) {
    if (bytes.size() == Hash{}.view().size()) return Hash::from(bytes);
    throw Divergence("position " + to_string(position) + ": its hash has " +
                     std::to_string(bytes.size()) +
                     " bytes; the row was changed: verify the chain, and restore a backup");
}

void check_row(const RecordedEvent& event, const StreamName& stream, Version version) {
    const bool placed = event.at.stream == stream && event.at.version == version;
    if (!placed) {
        throw Divergence("stream " + stream.full() + ", version " + std::to_string(version.value) +
                         ": the envelope at position " + to_string(event.at.position) +
                         " says stream " + event.at.stream.full() + ", version " +
                         std::to_string(event.at.version.value) +
                         "; the row was changed: verify the chain");
    }
    if (!event.erased() && payload_digest(event.salt, *event.payload) != event.at.payload_digest) {
        throw Divergence("stream " + stream.full() + ", version " + std::to_string(version.value) +
                         ", position " + to_string(event.at.position) +
                         ": the payload is not the one whose digest is in the envelope; verify " +
                         "the chain, and restore the payload from a backup");
    }
}

void missing_event(const Position& position, const std::string& store) {
    throw Divergence(store + " has no event at position " + to_string(position) +
                     ", behind which it was asked to read; it lost its end, or is another store "
                     "than the one the position is from: compare their ids and incarnations");
}

ReadStream missed_of(const Append& append, const FailedCheck& failed) {
    return {.from = Version{std::max<std::int64_t>(failed.expected.version().value, 1)},
            .max_events = append.missed_events};
}

Deadline::Deadline(Environment& environment, Duration at_most)
    : clock_(environment.clock),
      end_(clock_.steady() + std::clamp(at_most, Duration{0}, longest_wait)) {}

Duration Deadline::left() const { return std::chrono::ceil<Duration>(end_ - clock_.steady()); }

bool wait_until(Signal& raised, const Deadline& deadline, const std::stop_token& stop,
                const std::function<bool()>& holds) {
    while (true) {
        const std::uint64_t count = raised.count();
        if (holds()) return true;
        if (deadline.passed() || !raised.wait(count, deadline.left(), stop)) return false;
    }
}

bool any_beyond(const std::vector<LogHead>& heads, const Positions& seen) {
    for (std::size_t i = 0; i < heads.size(); ++i) {
        if (heads[i].n > seen[Partition{static_cast<std::int32_t>(i)}]) return true;
    }
    return false;
}

NameRange names_of(std::string_view category, std::string_view after) {
    if (category.empty()) return {std::string{after}, {}};
    if (category.find('-') != std::string_view::npos) {
        throw InvalidArgument("'" + std::string{category} +
                              "' is no category: that is what precedes the first '-' of a stream's "
                              "name; give only that");
    }
    // '.' is the byte behind '-'.
    const std::string begin = std::string{category} + '-';
    return {std::max(begin, std::string{after}), std::string{category} + '.'};
}

StoreBase::StoreBase(std::string url, const StoreOptions& options)
    : url_(std::move(url)),
      environment_(options.environment == nullptr ? Environment::system() : *options.environment),
      limits_(options.limits),
      metrics_(environment_.metrics) {}

std::vector<AppendResult> StoreBase::append(std::span<const Append> group) {
    for (const Append& one : group) check_append(one, limits_);
    if (group.empty()) return {};
    const std::chrono::nanoseconds began = environment_.clock.steady();
    std::vector<AppendResult> results;
    try {
        results = append_checked(group);
    } catch (const std::exception& failure) {
        metrics_.failed(failure);
        log_failure(identity_.name, group, failure);
        throw;
    }
    metrics_.note(results, environment_.clock.steady() - began);
    log_verdicts(identity_.name, group, results);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const bool wanted = group[i].missed_events > 0 && results[i].conflict.missed.empty();
        if (wanted) add_missed(group[i], results[i].conflict);
    }
    return results;
}

void StoreBase::add_missed(const Append& append, Conflict& conflict) {
    try {
        for (const FailedCheck& failed : conflict.failed) {
            conflict.missed.push_back(read_stream(failed.stream, missed_of(append, failed)));
        }
    } catch (const Error&) {
        // Others of the group are committed: to throw would say that they are not.
        conflict.missed.clear();
    }
}

StreamPage StoreBase::read_stream(const StreamName& stream, const ReadStream& options) {
    if (!options.until) return read_stream_page(stream, options);
    ReadStream plain = options;
    plain.until.reset();
    const auto later = [&](const RecordedEvent& event) {
        return event.at.recorded_at > *options.until;
    };
    if (options.direction == Direction::backwards) {
        plain.from = std::min(options.from, last_before(stream, later));
    }
    StreamPage page = read_stream_page(stream, plain);
    const auto first = std::find_if(page.events.begin(), page.events.end(), later);
    if (first != page.events.end()) page.end = true;
    page.events.erase(first, page.events.end());
    return page;
}

/// Halves the stream, an event a look: times do not run back in it.
Version StoreBase::last_before(const StreamName& stream,
                               const std::function<bool(const RecordedEvent&)>& later) {
    const auto look = [&](std::int64_t version) {
        return read_stream_page(stream,
                                {.from = Version{version}, .max_events = 1, .max_bytes = 1});
    };
    std::int64_t before = 0;
    for (std::int64_t behind = look(1).head.value + 1; behind - before > 1;) {
        const std::int64_t middle = before + (behind - before) / 2;
        (later(look(middle).events.at(0)) ? behind : before) = middle;
    }
    return Version{before};
}

LogPage StoreBase::read(Partition partition, std::int64_t after, const ReadLog& options) {
    check_partition(partition);
    after = std::max<std::int64_t>(after, 0);
    if (!options.filter.everything()) return read_filtered_page(partition, after, options);
    LogPage page = read_log_page(partition, after, options);
    page.upto = page.events.empty() ? after : page.events.back().at.position.n;
    return page;
}

LogPage StoreBase::read_filtered_page(Partition partition, std::int64_t after,
                                      const ReadLog& options) {
    return filter_pages(after, options, [&](std::int64_t behind, const ReadLog& all) {
        return read(partition, behind, all);
    });
}

std::vector<StreamHead> StoreBase::list_streams(std::string_view category, std::string_view after,
                                                std::size_t limit) {
    for (const std::string_view name : {category, after}) {
        if (valid_utf8(name) && name.find('\0') == name.npos) continue;
        throw InvalidArgument(
            "names of streams and categories are UTF-8 without NUL; pass the last "
            "name that was listed, as it is");
    }
    return list_names(names_of(category, after), std::clamp<std::size_t>(limit, 1, most_listed));
}

Maintained StoreBase::maintain(const MaintainOptions& options) {
    check_writable();
    if (options.keep_outcomes < shortest_retention) {
        throw InvalidArgument(
            "outcomes of commands are to be kept for " +
            std::to_string(
                std::chrono::duration_cast<std::chrono::seconds>(options.keep_outcomes).count()) +
            " s: a command that is sent again after that would happen twice; keep them for an hour "
            "at least");
    }
    // Committed before anything goes: whoever misses an outcome sees the horizon that took it.
    Maintained done;
    done.horizon = raise_horizon(environment_.clock.now() - options.keep_outcomes);
    std::string after;
    while (!options.stop.stop_requested()) {
        const auto page =
            outcome_rows(after, std::clamp<std::size_t>(options.step, 1, most_listed), false);
        if (page.empty()) break;
        std::vector<std::string_view> old;
        for (const OutcomeRow& outcome : page) {
            if (forgotten(outcome, done.horizon)) old.push_back(outcome.command_id);
        }
        if (!old.empty()) forget_outcomes(old);
        done.outcomes += static_cast<std::int64_t>(old.size());
        after = page.back().command_id;
    }
    return done;
}

void StoreBase::check_partition(Partition partition) const {
    if (partition.value >= 0 && partition.value < identity_.partitions) return;
    throw InvalidArgument("partition " + std::to_string(partition.value) + " of " + identity_.name +
                          ", which has " + std::to_string(identity_.partitions) +
                          "; ask for 0 to " + std::to_string(identity_.partitions - 1));
}

}  // namespace recount
