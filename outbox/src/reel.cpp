#include "reel.hpp"

#include <algorithm>

namespace recount {
namespace {

constexpr std::chrono::nanoseconds kept_unused = std::chrono::seconds{10};
/// What a reader but the first fetches ahead, of all partitions and of one at least.
constexpr std::size_t ahead_kib = 16384;
constexpr std::size_t least_ahead_kib = 1024;

}  // namespace

void Deck::remember(std::int64_t n, std::int64_t offset) {
    std::lock_guard lock{mutex_};
    tape_at(0).remember(n, offset);
}

Tape& Deck::tape_at(std::size_t place) {
    auto& tape = places_.at(place).tape;
    if (!tape) tape = std::make_unique<Tape>(readers_(place), world_, partition_, known_);
    return *tape;
}

/// One that stands there; one that stands nowhere; one more; or the one that was not used longest.
std::size_t Deck::choose(std::int64_t after) {
    const auto index = [&](auto found) {
        return static_cast<std::size_t>(found - places_.begin());
    };
    const auto there = std::ranges::find_if(places_, [&](const Place& place) {
        return place.tape && place.tape->stands_behind(after);
    });
    if (there != places_.end()) return index(there);
    const auto idle = std::ranges::find_if(
        places_, [](const Place& place) { return !place.tape || !place.tape->placed(); });
    if (idle != places_.end()) return index(idle);
    if (places_.size() < most_tapes) {
        places_.emplace_back();
        return places_.size() - 1;
    }
    return index(std::ranges::min_element(places_, {}, &Place::used));
}

Tape& Deck::tape_for(std::int64_t after) {
    const auto now = world_.environment.clock.steady();
    const std::size_t chosen = choose(after);
    for (std::size_t i = 0; i < places_.size(); ++i) {
        auto& [tape, used] = places_[i];
        // Others may wait at the same place, each for a tape of its own once there is more.
        const bool wanted = i == chosen || (tape && tape->stands_behind(after));
        if (!wanted && now - used > kept_unused) tape.reset();
    }
    places_[chosen].used = now;
    return tape_at(chosen);
}

Reel::Reel(kafka::Settings settings, const std::string& topic, TapeWorld world,
           std::function<void()> on_arrival)
    : settings_(std::move(settings)),
      world_(std::move(world)),
      on_arrival_(std::move(on_arrival)),
      reader_(settings_, topic, on_arrival_) {
    const auto partitions = reader_.partitions(world_.broker_timeout);
    if (partitions != world_.identity.partitions) {
        throw Mismatch("topic " + topic + " has " + std::to_string(partitions) +
                       " partitions, expected the store's " +
                       std::to_string(world_.identity.partitions) +
                       "; create a topic of another name and let the relay fill it");
    }
    const std::size_t share = ahead_kib / static_cast<std::size_t>(partitions);
    settings_.emplace("queued.max.messages.kbytes",
                      std::to_string(std::max(share, least_ahead_kib)));
    for (std::int32_t number = 0; number < partitions; ++number) {
        decks_.emplace_back([this](std::size_t which) -> kafka::Reader& { return reader(which); },
                            world_, Partition{number});
    }
}

kafka::Reader& Reel::reader(std::size_t number) {
    if (number == 0) return reader_;
    std::lock_guard lock{mutex_};
    while (others_.size() < number) others_.emplace_back(settings_, reader_, on_arrival_);
    return others_[number - 1];
}

}  // namespace recount
