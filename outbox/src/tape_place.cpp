#include <algorithm>
#include <limits>

#include <recount/core/error.hpp>

#include "tape.hpp"

namespace recount {
namespace {

constexpr Duration answer_step = std::chrono::milliseconds{100};
constexpr std::int64_t close_enough = 4096;  // records that are read rather than searched
constexpr std::int64_t first_window = 1024;
constexpr std::int64_t window_growth = 16;
constexpr std::size_t most_hints = 64;

}  // namespace

void Tape::start(std::int64_t offset) {
    reader_.move(partition_.value, offset);
    offset_ = offset;
    first_offset_ = offset;
    begun_.reset();
    told_end_ = -1;
    readable_end_ = -1;
    fill_until_ = 0;
    lost_ = false;
}

void Tape::remember(std::int64_t n, std::int64_t offset) {
    // librdkafka gives negative offsets another meaning.
    if (n < 1 || offset < 0 || offset == std::numeric_limits<std::int64_t>::max()) return;
    std::erase_if(known_.hints, [&](const auto& hint) { return hint.first == n; });
    if (known_.hints.size() == most_hints) known_.hints.erase(known_.hints.begin());
    known_.hints.emplace_back(n, offset);
    if (placed_ || begun_) return;
    // At once: a partition that is begun when others are at their end waits for the fetch under
    // way.
    start(offset);
    begun_ = offset;
}

std::optional<std::int64_t> Tape::remembered(std::int64_t n) const {
    const auto hint = std::find_if(known_.hints.begin(), known_.hints.end(),
                                   [&](const auto& one) { return one.first == n; });
    return hint == known_.hints.end() ? std::nullopt : std::optional{hint->second};
}

/// The first record of ours at or behind an offset.
std::optional<Tape::Found> Tape::first_at(std::int64_t offset, std::int64_t until) {
    if (offset >= until) return std::nullopt;
    reader_.move(partition_.value, offset);
    auto heard = world_.environment.clock.steady();
    while (true) {
        const auto polled = reader_.poll(partition_.value, answer_step);
        if (polled.kind == kafka::Polled::Kind::nothing) {
            if (world_.environment.clock.steady() - heard <= world_.broker_timeout) continue;
            throw Unavailable(where() + ": no broker answers; check that its leader runs");
        }
        if (polled.kind != kafka::Polled::Kind::record) return std::nullopt;
        heard = world_.environment.clock.steady();
        if (polled.record->offset() >= until) return std::nullopt;
        if (const auto at = place_of(*polled.record)) {
            return Found{polled.record->offset(), at->position.n};
        }
        if (polled.record->offset() == until - 1) return std::nullopt;
    }
}

/// As fetch() finds it: what that passes over must not be what is looked for.
bool Tape::readable(const kafka::Record& record) {
    RecordedEvent event;
    std::string why;
    return decoder_.decode(record, event, why);
}

/// The offset of position n between two offsets, by reading all of it.
std::optional<std::int64_t> Tape::find(std::int64_t n, std::int64_t from, std::int64_t until) {
    if (from >= until) return std::nullopt;
    reader_.move(partition_.value, from);
    auto heard = world_.environment.clock.steady();
    while (true) {
        const auto polled = reader_.poll(partition_.value, answer_step);
        if (polled.kind == kafka::Polled::Kind::nothing) {
            if (world_.environment.clock.steady() - heard <= world_.broker_timeout) continue;
            throw Unavailable(where() + ": no broker answers; check that its leader runs");
        }
        if (polled.kind != kafka::Polled::Kind::record) return std::nullopt;
        heard = world_.environment.clock.steady();
        const std::int64_t offset = polled.record->offset();
        if (offset >= until) return std::nullopt;
        const auto at = place_of(*polled.record);
        if (at && at->position.n == n && readable(*polled.record)) return offset;
        if (offset == until - 1) return std::nullopt;
    }
}

/// Ahead first, where a repair puts it, then behind in growing steps down to the beginning.
std::optional<std::int64_t> Tape::find_anywhere(std::int64_t n) {
    const auto marks = reader_.watermarks(partition_.value, world_.broker_timeout);
    if (const auto ahead = find(n, offset_, marks.high)) return ahead;
    std::int64_t until = first_offset_;
    for (std::int64_t window = first_window; until > marks.low; window *= window_growth) {
        const std::int64_t from = std::max(marks.low, until - window);
        if (const auto behind = find(n, from, until)) return behind;
        until = from;
    }
    return std::nullopt;
}

/// An offset from which reading on meets position `after`. Positions grow with offsets but for
/// replays, which can only lead too far ahead: mend_gap() then looks behind.
std::int64_t Tape::search(std::int64_t after, const kafka::Watermarks& marks) {
    if (after == 0) return marks.low;
    Found near{marks.low, 0};
    auto known = known_.offsets.upper_bound(after);
    if (known != known_.offsets.begin()) {
        --known;
        const auto there = first_at(known->second, marks.high);
        if (there && there->n == known->first) {
            near = *there;
        } else {
            known_.offsets.clear();  // of another topic of this name
        }
    }
    if (near.n == 0) {
        const auto first = first_at(marks.low, marks.high);
        if (!first || first->n >= after) return marks.low;
        near = *first;
    }
    if (after - near.n <= close_enough) return near.offset;
    std::int64_t high = marks.high;
    // Without foreign records and replays, offsets and positions keep step.
    const std::int64_t guess = near.offset + (after - near.n);
    if (const auto there = first_at(guess, high); there && there->n <= after) {
        near = *there;
    } else {
        high = std::min(high, std::max(guess, near.offset + 1));
    }
    while (after - near.n > close_enough && high - near.offset > close_enough) {
        const std::int64_t middle = near.offset + (high - near.offset) / 2;
        const auto there = first_at(middle, high);
        if (there && there->n <= after) {
            near = *there;
        } else {
            high = middle;
        }
    }
    return near.offset;
}

void Tape::place(std::int64_t after, std::int64_t published) {
    const auto known = after == n_ ? hash_ : std::nullopt;
    placed_ = false;
    pending_.reset();
    n_ = after;
    hash_ = known;
    if (!hash_) {
        if (const Hash* recent = known_.recent.find(after)) hash_ = *recent;
    }
    found_.reset();
    found_before_.reset();
    if (const auto hint = remembered(after); hint && arrive_at(*hint)) {
        placed_ = true;
        return;
    }
    begun_.reset();
    const auto marks = reader_.watermarks(partition_.value, world_.broker_timeout);
    known_end_ = marks.high;
    if (after > 0) world_.searches.add();
    start(search(after, marks));
    const bool ahead = published >= 0 && published < after;  // as the relay says itself
    if (!arrive() && !ahead) {
        // The whole of the topic may hold it before the place where the search ended.
        const auto behind = find(after, marks.low, first_offset_);
        start(behind.value_or(marks.low));
        const bool found = arrive();
        if (lost_) return;  // retention took it meanwhile: look where the topic begins now
        if (!found && world_.store == nullptr && published >= after) {
            if (readable_end_ >= 0 && readable_end_ < marks.high) {
                throw Unavailable(where() + ": another producer's transaction is open at offset " +
                                  std::to_string(readable_end_) +
                                  ", and what is behind it cannot be read before it ends");
            }
            // Retention took all that there was, but nothing that is missing here?
            const bool all_seen = published == after && marks.low > 0;
            if (all_seen && !first_at(marks.low, marks.high)) {
                start(marks.low);
                placed_ = true;
                return;
            }
            diverged("it ends before position " + to_string(Position{partition_, after}) +
                     ", which the relay had published: it was truncated or made anew; let the "
                     "relay repair it, then start again");
        }
    }
    placed_ = true;
}

void Tape::arrived(const RecordedEvent& event) {
    if (hash_ && *hash_ != event.hash) check_replay(event);
    hash_ = event.hash;
    found_ = offset_ - 1;
}

/// Begins at this offset if the n_-th event is the first there; else the place is still to be
/// found.
bool Tape::arrive_at(std::int64_t offset) {
    if (begun_ != offset) start(offset);
    begun_.reset();
    known_end_ = offset + 1;  // waited for: where there is no such offset, the broker says so
    RecordedEvent event;
    if (!fetch(true, event) || event.at.position.n != n_) return false;
    if (hash_ && *hash_ != event.hash) return false;
    arrived(event);
    return true;
}

/// Reads on to where n_ has been passed; false when the topic ends before it.
bool Tape::arrive() {
    if (n_ == 0) return true;
    RecordedEvent event;
    for (; fetch(true, event); event = {}) {
        const std::int64_t n = event.at.position.n;
        if (n < n_) continue;
        if (n == n_) {
            arrived(event);
            return true;
        }
        if (n == n_ + 1) {
            apply(event, offset_ - 1);
            pending_ = std::move(event);
        } else {
            mend_gap(event);
        }
        return true;
    }
    return false;
}

}  // namespace recount
