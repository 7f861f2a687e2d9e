#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <recount/core/error.hpp>

#include "tape.hpp"

namespace recount {

/// A partition's tapes and their guard. Who reads on where a tape stands gets that one: two that
/// read at different places, as a view that is built anew beside a living one, do not take the
/// place from each other, which would mean to fetch anew what was fetched already, at each page.
class Deck {
public:
    /// A tape for each of so many places, of those that were read last.
    static constexpr std::size_t most_tapes = 8;
    /// The first of the readers is the first tape's, and so on.
    using Readers = std::function<kafka::Reader&(std::size_t)>;

    Deck(Readers readers, const TapeWorld& world, Partition partition)
        : readers_(std::move(readers)), world_(world), partition_(partition), places_(1) {}

    /// With the tape that stands behind `after`, or else with one that goes there.
    template <class Use>
    auto with_tape(std::int64_t after, Use use) {
        std::lock_guard lock{mutex_};
        Tape& tape = tape_for(after);
        auto result = use(tape);
        std::lock_guard noting{furthest_mutex_};
        if (tape.furthest().n > furthest_.n) furthest_ = tape.furthest();
        return result;
    }
    void remember(std::int64_t n, std::int64_t offset);
    /// Waits for nobody who reads.
    LogHead furthest() {
        std::lock_guard lock{furthest_mutex_};
        return furthest_;
    }

private:
    struct Place {
        std::unique_ptr<Tape> tape;
        std::chrono::nanoseconds used{0};
    };
    Tape& tape_for(std::int64_t after);
    std::size_t choose(std::int64_t after);
    Tape& tape_at(std::size_t place);

    Readers readers_;
    const TapeWorld& world_;
    Partition partition_;
    std::mutex mutex_;  // of what follows, up to the next mutex
    KnownPlaces known_;
    std::deque<Place> places_;
    std::mutex furthest_mutex_;
    LogHead furthest_;
};

/// The topic of one incarnation. Kept while someone reads it, though another may have begun.
class Reel {
public:
    Reel(kafka::Settings settings, const std::string& topic, TapeWorld world,
         std::function<void()> on_arrival);

    [[nodiscard]] const TapeWorld& world() const { return world_; }
    [[nodiscard]] const std::string& topic() const { return reader_.topic(); }
    /// One for each partition.
    std::deque<Deck>& decks() { return decks_; }

private:
    kafka::Reader& reader(std::size_t number);

    kafka::Settings settings_;
    TapeWorld world_;
    std::function<void()> on_arrival_;
    kafka::Reader reader_;
    std::mutex mutex_;  // of others_
    std::deque<kafka::Reader> others_;
    std::deque<Deck> decks_;
};

}  // namespace recount
