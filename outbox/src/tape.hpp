#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <recount/core/metrics.hpp>
#include <recount/eventstore/event_store.hpp>
#include <recount/outbox/kafka_log.hpp>

#include "kafka/reader.hpp"
#include "record.hpp"

namespace recount {

/// What the tapes of one log share.
struct TapeWorld {
    StoreIdentity identity;
    std::vector<Incarnation> incarnations;
    EventStore* store = nullptr;
    Environment& environment;
    Duration broker_timeout;
    std::function<void(std::string)> foreign;  // told of each record that is not ours
    Counter& searches;                         // places that had to be looked for
};

/// The hashes of the positions read last, to tell a replay from another history.
class RecentHashes {
public:
    void put(std::int64_t n, const Hash& hash);
    [[nodiscard]] const Hash* find(std::int64_t n) const;
    void clear() { hashes_.clear(); }

private:
    static constexpr std::size_t capacity = 16384;
    std::vector<std::pair<std::int64_t, Hash>> hashes_;  // position n in slot n mod capacity
};

/// What the tapes of a partition know of it.
struct KnownPlaces {
    RecentHashes recent;
    std::map<std::int64_t, std::int64_t> offsets;  // of some positions
    // What Log::remember was told of positions and offsets, the latest last: to be checked.
    std::vector<std::pair<std::int64_t, std::int64_t>> hints;
};

/// One partition of a log topic, read by position: last + 1 only. One thread at a time, for all
/// tapes with the same known places.
class Tape {
public:
    /// No other tape uses this reader for this partition meanwhile.
    Tape(kafka::Reader& reader, const TapeWorld& world, Partition partition, KnownPlaces& known)
        : reader_(reader), world_(world), partition_(partition), known_(known) {}
    ~Tape() { reader_.stop(partition_.value); }
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    /// See Log::read. `published` is what the relay knew to be in the topic: when the topic ends
    /// before `after`, and before that, it is not the topic it was.
    LogPage read(std::int64_t after, const ReadLog& options, std::int64_t published);
    /// True when something is there behind `seen`; waits for nothing but the way there.
    bool more(std::int64_t seen, std::int64_t published);
    /// See Log::remember.
    void remember(std::int64_t n, std::int64_t offset);
    /// The furthest event that was read and checked; n = 0: none was.
    [[nodiscard]] const LogHead& furthest() const { return furthest_; }
    /// False: it may go anywhere, nothing is lost by it.
    [[nodiscard]] bool placed() const { return placed_; }
    /// Can it read on behind `n` as it stands?
    [[nodiscard]] bool stands_behind(std::int64_t n) const { return placed_ && given() == n; }

private:
    struct Found {
        std::int64_t offset = 0;
        std::int64_t n = 0;
    };

    // Getting to a place (tape_place.cpp).
    void place(std::int64_t after, std::int64_t published);
    bool arrive();
    bool arrive_at(std::int64_t offset);
    void arrived(const RecordedEvent& event);
    void start(std::int64_t offset);
    [[nodiscard]] std::optional<std::int64_t> remembered(std::int64_t n) const;
    std::int64_t search(std::int64_t after, const kafka::Watermarks& marks);
    std::optional<Found> first_at(std::int64_t offset, std::int64_t until);
    bool readable(const kafka::Record& record);
    std::optional<std::int64_t> find(std::int64_t n, std::int64_t from, std::int64_t until);
    std::optional<std::int64_t> find_anywhere(std::int64_t n);

    // Going on from there (tape.cpp).
    bool more_behind(std::int64_t seen, std::int64_t published);
    LogPage page_behind(std::int64_t after, const ReadLog& asked, std::int64_t published);
    /// What throws was read and not judged, or judged and not taken: the next call begins at its
    /// place again, and meets the same.
    template <class Call>
    std::invoke_result_t<Call> or_lose_place(Call call) {
        try {
            return call();
        } catch (...) {
            placed_ = false;
            pending_.reset();
            throw;
        }
    }
    bool fetch(bool patient, RecordedEvent& event);
    bool next(bool patient, RecordedEvent& event);
    bool take(bool patient, std::vector<RecordedEvent>& events);
    void check_replay(const RecordedEvent& event);
    void apply(const RecordedEvent& event, std::optional<std::int64_t> found);
    void mend_gap(const RecordedEvent& found);
    LogPage from_store(const ReadLog& options);
    void to_place(std::int64_t after, std::int64_t published);
    std::optional<Hash> hash_of(std::int64_t n);

    [[noreturn]] void diverged(const std::string& what) const;
    [[nodiscard]] std::string where() const;
    [[nodiscard]] bool at_end() const;
    [[nodiscard]] std::int64_t given() const { return n_ - (pending_ ? 1 : 0); }
    [[nodiscard]] std::optional<std::int64_t> given_at() const {
        return pending_ ? found_before_ : found_;
    }

    kafka::Reader& reader_;
    const TapeWorld& world_;
    Partition partition_;
    KnownPlaces& known_;

    bool placed_ = false;       // the reader stands behind n_
    bool lost_ = false;         // what it wanted to read next is not kept any more
    std::int64_t n_ = 0;        // the last position read and checked
    std::optional<Hash> hash_;  // of it, once known
    LogHead furthest_;
    std::optional<std::int64_t> found_;         // at this offset, unless it came from the store
    std::optional<std::int64_t> found_before_;  // the same of the position before
    std::optional<RecordedEvent> pending_;      // the n_-th, when it was not given out yet
    std::int64_t offset_ = 0;                   // of the next record to fetch
    std::int64_t first_offset_ = 0;             // where this run of records began
    std::int64_t known_end_ = -1;               // one behind the last record, when last asked
    std::int64_t told_end_ = -1;                // the offset_ at which the broker had nothing more
    std::int64_t readable_end_ = -1;            // where the broker said that reading ends
    std::int64_t fill_until_ = 0;               // positions up to here come from the store
    std::int64_t fill_offset_ = 0;              // and then the topic goes on here
    std::size_t usual_ = 0;                     // events of the last page
    RecordDecoder decoder_;
    std::optional<std::int64_t> begun_;  // the reader fetches from here, and was not asked yet
};

}  // namespace recount
