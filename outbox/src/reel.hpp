#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include <recount/core/error.hpp>

#include "tape.hpp"

namespace recount {

/// A partition's tape and its guard.
class Deck {
public:
    Deck(kafka::Reader& reader, const TapeWorld& world, Partition partition)
        : tape_(reader, world, partition) {}

    template <class Use>
    auto with_tape(Use use) {
        std::lock_guard lock{mutex_};
        auto result = use(tape_);
        std::lock_guard noting{furthest_mutex_};
        furthest_ = tape_.furthest();
        return result;
    }
    void remember(std::int64_t n, std::int64_t offset) {
        std::lock_guard lock{mutex_};
        tape_.remember(n, offset);
    }
    /// Waits for nobody who reads.
    LogHead furthest() {
        std::lock_guard lock{furthest_mutex_};
        return furthest_;
    }

private:
    std::mutex mutex_;
    Tape tape_;
    std::mutex furthest_mutex_;
    LogHead furthest_;
};

/// The topic of one incarnation. Kept while someone reads it, though another may have begun.
struct Reel {
    Reel(const kafka::Settings& settings, const std::string& topic, TapeWorld the_world,
         std::function<void()> on_arrival)
        : world(std::move(the_world)), reader(settings, topic, std::move(on_arrival)) {
        const auto partitions = reader.partitions(world.broker_timeout);
        if (partitions != world.identity.partitions) {
            throw Mismatch("topic " + topic + " has " + std::to_string(partitions) +
                           " partitions, expected the store's " +
                           std::to_string(world.identity.partitions) +
                           "; create a topic of another name and let the relay fill it");
        }
        for (std::int32_t number = 0; number < partitions; ++number) {
            decks.emplace_back(reader, world, Partition{number});
        }
    }

    TapeWorld world;
    kafka::Reader reader;
    std::deque<Deck> decks;
};

}  // namespace recount
