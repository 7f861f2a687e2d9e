#include "tape.hpp"

#include <algorithm>
#include <utility>

#include <recount/core/error.hpp>
#include <recount/eventstore/newest_heads.hpp>

namespace recount {
namespace {

constexpr Duration answer_step = std::chrono::milliseconds{100};
constexpr std::int64_t index_step = 512;
constexpr int most_losses = 3;

std::size_t weight(const RecordedEvent& event) {
    return event.envelope.size() + (event.payload ? event.payload->size() : 0);
}

}  // namespace

void RecentHashes::put(std::int64_t n, const Hash& hash) {
    const auto slot = static_cast<std::size_t>(n) % capacity;
    if (hashes_.size() <= slot) hashes_.resize(std::min(capacity, 2 * slot + 16), {0, Hash{}});
    hashes_[slot] = {n, hash};
}

const Hash* RecentHashes::find(std::int64_t n) const {
    const auto slot = static_cast<std::size_t>(n) % capacity;
    if (n <= 0 || slot >= hashes_.size() || hashes_[slot].first != n) return nullptr;
    return &hashes_[slot].second;
}

std::string Tape::where() const {
    return "topic " + reader_.topic() + " partition " + std::to_string(partition_.value);
}

void Tape::diverged(const std::string& what) const { throw Divergence(where() + ": " + what); }

bool Tape::at_end() const {
    if (offset_ == told_end_) return true;
    return offset_ >= std::max(known_end_, reader_.fetched_high(partition_.value));
}

/// The next record of ours, into an event that is as new; false at the end, or when nothing is at
/// hand and one is not patient.
bool Tape::fetch(bool patient, RecordedEvent& event) {
    std::optional<std::chrono::nanoseconds> silent;  // since when
    while (true) {
        auto polled = reader_.poll(partition_.value, Duration::zero());
        if (polled.kind == kafka::Polled::Kind::nothing) {
            if (!patient || at_end()) return false;
            const auto now = world_.environment.clock.steady();
            if (!silent) silent = now;
            if (now - *silent > world_.broker_timeout) {
                throw Unavailable(where() + ": no broker answers; check that its leader runs");
            }
            polled = reader_.poll(partition_.value, answer_step);
        }
        switch (polled.kind) {
            case kafka::Polled::Kind::record: {
                offset_ = polled.record->offset() + 1;
                silent.reset();
                std::string why;
                if (decoder_.decode(*polled.record, event, why)) return true;
                event = {};
                world_.foreign(where() + " offset " + std::to_string(offset_ - 1) + ": " + why);
                break;
            }
            case kafka::Polled::Kind::end:
                told_end_ = offset_;  // what came since then may be at hand
                readable_end_ = polled.end;
                break;
            case kafka::Polled::Kind::lost:
                lost_ = true;
                return false;
            case kafka::Polled::Kind::nothing:
                break;
        }
    }
}

std::optional<Hash> Tape::hash_of(std::int64_t n) {
    if (n == 0) return world_.incarnations.front().origin(world_.identity.id, partition_);
    if (n == n_ && hash_) return hash_;
    if (const Hash* recent = known_.recent.find(n)) return *recent;
    if (world_.store == nullptr) return std::nullopt;
    const auto page = world_.store->read(partition_, n - 1, {.max_events = 1});
    if (page.events.empty()) return std::nullopt;
    return page.events.front().hash;
}

void Tape::check_replay(const RecordedEvent& event) {
    const auto known = hash_of(event.at.position.n);
    if (!known || *known == event.hash) return;
    diverged("two events claim position " + to_string(event.at.position) + ": expected " +
             to_string(*known) + ", found " + to_string(event.hash) + " at offset " +
             std::to_string(offset_ - 1) +
             "; another store writes to this topic, or a restore was not declared");
}

void Tape::apply(const RecordedEvent& event, std::optional<std::int64_t> found) {
    if (!hash_) hash_ = hash_of(n_);
    const bool checked = hash_.has_value();
    if (checked) {
        ChainCheck chain{partition_, n_, *hash_};
        try {
            chain.next(event, world_.identity.id, world_.incarnations);
        } catch (const Divergence& error) {
            diverged(error.what());
        }
    }
    n_ = event.at.position.n;
    hash_ = event.hash;
    if (checked && n_ > furthest_.n) furthest_ = {n_, event.hash, event.at.recorded_at};
    found_before_ = std::exchange(found_, found);
    known_.recent.put(n_, event.hash);
}

bool Tape::next(bool patient, RecordedEvent& event) {
    while (fetch(patient, event)) {
        const std::int64_t n = event.at.position.n;
        if (n == n_ + 1) {
            apply(event, offset_ - 1);
            if (n % index_step == 0) known_.offsets[n] = offset_ - 1;
            return true;
        }
        if (n <= n_) {
            check_replay(event);
        } else {
            mend_gap(event);
            if (fill_until_ > n_) return false;
        }
        event = {};
    }
    return false;
}

/// `found` came where n_ + 1 was expected: the store has what is missing, or the topic has it
/// elsewhere (a hole is repaired by sending again from the hole on), or it is lost.
void Tape::mend_gap(const RecordedEvent& found) {
    const Position expected{partition_, n_ + 1};
    const std::int64_t found_at = offset_ - 1;
    if (world_.store != nullptr) {
        fill_until_ = found.at.position.n - 1;
        fill_offset_ = found_at;
        return;
    }
    if (const auto offset = find_anywhere(expected.n)) {
        start(*offset);
        return;
    }
    placed_ = false;
    diverged("expected position " + to_string(expected) + ", found " +
             to_string(found.at.position) + " at offset " + std::to_string(found_at) +
             ", and the topic holds it nowhere: its records were deleted or the topic was made "
             "anew; open the log with its store, which fills the gap, or read from the store");
}

LogPage Tape::from_store(const ReadLog& options) {
    LogPage page = world_.store->read(partition_, n_, options);
    const auto behind =
        std::find_if(page.events.begin(), page.events.end(),
                     [&](const auto& event) { return event.at.position.n > fill_until_; });
    page.events.erase(behind, page.events.end());
    page.end = false;
    if (page.events.empty()) {
        placed_ = false;
        const auto heads = newest_heads(*world_.store).heads;
        if (heads.at(static_cast<std::size_t>(partition_.value)).n > n_) {
            throw Unavailable(where() + ": store " + world_.identity.name +
                              " does not show all yet that it says it has; it is asked again");
        }
        diverged("expected position " + to_string(Position{partition_, n_ + 1}) +
                 ", which neither the topic nor store " + world_.identity.name +
                 " has, though the topic goes on behind it; the store was restored to an earlier "
                 "state: declare it, and the relay begins a new topic");
    }
    for (const auto& event : page.events) apply(event, std::nullopt);
    if (n_ >= fill_until_) start(fill_offset_);
    return page;
}

void Tape::to_place(std::int64_t after, std::int64_t published) {
    // What was read ahead for a caller who has it from elsewhere by now.
    if (placed_ && pending_ && n_ == after) pending_.reset();
    if (!placed_ || given() != after) place(after, published);
}

bool Tape::more(std::int64_t seen, std::int64_t published) {
    return or_lose_place([&] { return more_behind(seen, published); });
}

LogPage Tape::read(std::int64_t after, const ReadLog& options, std::int64_t published) {
    return or_lose_place([&] { return page_behind(after, options, published); });
}

bool Tape::more_behind(std::int64_t seen, std::int64_t published) {
    to_place(seen, published);
    if (!placed_) return true;  // read() tries again
    if (pending_ || fill_until_ > n_) return true;
    RecordedEvent event;
    if (next(false, event)) pending_ = std::move(event);
    if (lost_) placed_ = false;
    return pending_.has_value() || fill_until_ > n_ || lost_;
}

/// Puts the next event behind the others: what was read ahead, else what comes now.
bool Tape::take(bool patient, std::vector<RecordedEvent>& events) {
    if (pending_) {
        events.push_back(std::move(*pending_));
        pending_.reset();
        return true;
    }
    if (fill_until_ > n_) return false;
    if (next(patient, events.emplace_back())) return true;
    events.pop_back();
    return false;
}

LogPage Tape::page_behind(std::int64_t after, const ReadLog& asked, std::int64_t published) {
    // One event at least, whatever is asked: an empty page would say that there is no more.
    ReadLog options = asked;
    options.max_events = std::max<std::size_t>(options.max_events, 1);
    options.max_bytes = std::max<std::size_t>(options.max_bytes, 1);
    for (int losses = 0; losses < most_losses; ++losses) {
        to_place(after, published);
        if (!placed_) continue;
        LogPage page;
        page.events.reserve(std::min(options.max_events, usual_ + 1));
        std::size_t bytes = 0;
        while (page.events.size() < options.max_events && bytes < options.max_bytes) {
            if (!take(page.events.empty(), page.events)) break;
            bytes += weight(page.events.back());
            if (page.events.size() > 1 && bytes > options.max_bytes) {
                pending_ = std::move(page.events.back());
                page.events.pop_back();
                page.place = given_at();
                return page;
            }
        }
        usual_ = page.events.size();
        page.place = given_at();
        if (lost_) placed_ = false;  // retention or a new topic took it away; look where it is now
        if (!page.events.empty()) {
            page.end = !pending_ && fill_until_ <= n_ && at_end();
            return page;
        }
        if (fill_until_ > n_) return from_store(options);
        if (placed_) {
            page.end = true;
            return page;
        }
    }
    throw Unavailable(where() + " keeps losing what is read next; is its retention too short?");
}

}  // namespace recount
