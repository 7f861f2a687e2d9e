#include <recount/core/error.hpp>
#include <recount/core/event.hpp>
#include <recount/core/hash.hpp>

#include <spdlog/fmt/fmt.h>

#include "store_base.hpp"

namespace recount {
namespace {

constexpr std::size_t rows_at_once = 1000;
constexpr std::size_t outcomes_at_once = 32;  // may be large

void check_columns(const RecordedEvent& event, const EventColumns& row) {
    const bool fits = row.n == event.at.position.n && row.stream == event.at.stream.full() &&
                      row.version == event.at.version.value && row.type == event.at.type &&
                      row.revision == event.at.schema_revision;
    if (fits) return;
    throw Divergence(fmt::format(
        "the row at position {} says stream {}, version {}, type {} of revision {}, and "
        "its envelope stream {}, version {}, type {} of revision {}; the row was "
        "changed: mend it from the envelope",
        to_string(event.at.position), row.stream, row.version, row.type, row.revision,
        event.at.stream.full(), event.at.version.value, event.at.type, event.at.schema_revision));
}

/// Reached is what the head was before the events were read, or more.
void check_head(const LogHead& head, const LogHead& reached, Partition partition,
                const std::string& store) {
    const std::string end = to_string(Position{partition, reached.n});
    if (reached.n < head.n) {
        throw Divergence(fmt::format(
            "partition {} of {} should hold {} events and ends at position {}; its end was lost: "
            "restore a backup",
            partition.value, store, head.n, end));
    }
    if (reached.n > head.n || head.n == 0) return;
    if (reached.hash != head.hash || reached.recorded_at != head.recorded_at) {
        throw Divergence(fmt::format(
            "the head of partition {} of {} names another {} than the event at position {}; "
            "compare with a backup",
            partition.value, store, reached.hash != head.hash ? "hash" : "time", end));
    }
}

/// Heads are committed with their events, so one that is read later cannot lie before them.
void check_not_behind(const LogHead& head, const LogHead& reached, Partition partition,
                      const std::string& store) {
    if (head.n >= reached.n) return;
    throw Divergence(fmt::format(
        "the head of partition {} of {} stands at {}, and the last event is at position {}; "
        "compare with a backup",
        partition.value, store, head.n, to_string(Position{partition, reached.n})));
}

void check_outcome(const OutcomeRow& row) {
    const CommandOutcome outcome = decode_outcome(row.command_id, row.bytes);
    if (row.kind == static_cast<std::int64_t>(outcome.kind) &&
        row.recorded_at == outcome.recorded_at) {
        return;
    }
    throw Divergence("the outcome of command id " + row.command_id +
                     " has another kind or time beside it than in it; the row was changed: mend it "
                     "from its bytes");
}

void check_revision(const RevisionRow& row) {
    const Hash fits = row.descriptors ? sha256(*row.descriptors) : Hash{};
    if (row.fingerprint == fits.view()) return;
    throw Divergence(fmt::format(
        "the descriptors of revision {} of type {} are not those of its fingerprint; restore the "
        "row from a backup",
        row.revision, row.type));
}

}  // namespace

std::vector<LogHead> StoreBase::verify_chain(const std::function<void(const Position&)>& progress) {
    // Heads first: what is appended meanwhile only adds to what they promise.
    const std::vector<LogHead> heads_before = heads();
    std::vector<LogHead> reached;
    for (std::int32_t p = 0; p < identity_.partitions; ++p) {
        reached.push_back(verify_partition(Partition{p}, progress));
        check_head(heads_before[static_cast<std::size_t>(p)], reached.back(), Partition{p},
                   identity_.name);
    }
    const std::vector<LogHead> heads_after = heads();
    for (std::int32_t p = 0; p < identity_.partitions; ++p) {
        const auto i = static_cast<std::size_t>(p);
        check_not_behind(heads_after[i], reached[i], Partition{p}, identity_.name);
    }
    verify_streams();
    for (const RevisionRow& row : revision_rows()) check_revision(row);
    for (std::string after;;) {
        const auto rows = outcome_rows(after, outcomes_at_once, true);
        if (rows.empty()) break;
        for (const OutcomeRow& row : rows) check_outcome(row);
        after = rows.back().command_id;
    }
    return reached;
}

LogHead StoreBase::verify_partition(Partition partition,
                                    const std::function<void(const Position&)>& progress) {
    const auto incarnations = this->incarnations();
    ChainCheck chain{partition, 0, incarnations.front().origin(identity_.id, partition)};
    LogHead reached{0, chain.hash(), {}};
    for (bool end = false; !end;) {
        const LogPage page = read(partition, reached.n, {.max_events = rows_at_once});
        const auto columns = event_columns(partition, reached.n, page.events.size());
        if (!columns.empty() && columns.size() != page.events.size()) {
            throw Divergence(fmt::format(
                "partition {} of {} lost rows behind position {} while it "
                "was verified; compare with a backup",
                partition.value, identity_.name, to_string(Position{partition, reached.n})));
        }
        for (std::size_t i = 0; i < page.events.size(); ++i) {
            const RecordedEvent& event = page.events[i];
            chain.next(event, identity_.id, incarnations);
            if (i < columns.size()) check_columns(event, columns[i]);
            reached = {chain.n(), chain.hash(), event.at.recorded_at};
        }
        if (progress && reached.n > 0) progress(Position{partition, reached.n});
        end = page.end;
    }
    return reached;
}

void StoreBase::verify_streams() {
    for (NameRange range;;) {
        const auto listed = list_names(range, rows_at_once);
        if (listed.empty()) return;
        for (const StreamHead& head : listed) {
            verify_stream(head, range);
            range.after = head.stream.full();
        }
    }
}

/// `range` begins behind the name before.
void StoreBase::verify_stream(const StreamHead& head, const NameRange& range) {
    const StreamPage page = read_stream(head.stream, {.from = head.version, .max_events = 2});
    const auto wrong = [&](const std::string& what) {
        return Divergence("stream " + head.stream.full() + " of " + identity_.name + " " + what +
                          "; its row was changed: mend it from its events");
    };
    if (page.events.empty() || page.events.front().at.version != head.version) {
        throw wrong("has no event of version " + std::to_string(head.version.value) +
                    ", which is said to be its last");
    }
    if ((page.events.front().at.type == stream_closed_type) != head.closed) {
        throw wrong(head.closed ? "is said to be closed and does not end with it"
                                : "is said to be open and ends with its closing");
    }
    // Either appended since, and then the row has followed, or not.
    if (page.events.size() > 1 && list_names(range, 1).front() == head) {
        throw wrong("is said to end at version " + std::to_string(head.version.value) +
                    ", and goes on");
    }
}

}  // namespace recount
