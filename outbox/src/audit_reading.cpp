#include "audit_reading.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>

namespace recount {
namespace {

constexpr Duration answer_step = std::chrono::milliseconds{100};
constexpr Duration held_up_for = std::chrono::seconds{1};

/// So that all partitions' queues together stay small.
kafka::Settings frugal(kafka::Settings settings) {
    settings.emplace("queued.max.messages.kbytes", "2048");
    return settings;
}

}  // namespace

AuditReading::AuditReading(EventStore& store, const AuditOptions& options, AuditWorld& world)
    : store_(store),
      broker_timeout_(options.broker_timeout),
      from_(options.from),
      world_(world),
      reader_(frugal(kafka::client_settings(options.topic)), world.topic) {
    const auto partitions = static_cast<std::size_t>(store.identity().partitions);
    from_.resize(partitions);
    for (std::size_t index = 0; index < partitions; ++index) {
        lanes_.emplace_back(world_, store_, Partition{static_cast<std::int32_t>(index)});
        lanes_.back().begin(from_[index], 0);
    }
    hands_.resize(partitions);
}

void AuditReading::open(bool restored) {
    if (opened_) return;
    std::int32_t partitions = 0;
    try {
        partitions = reader_.partitions(broker_timeout_);
    } catch (const Mismatch&) {
        if (!restored) throw;
        throw Unavailable("topic " + world_.topic +
                          ": the relay has not begun it yet, since the restore was declared; "
                          "start the relay");
    }
    const auto expected = store_.identity().partitions;
    if (partitions != expected) {
        throw Mismatch("topic " + world_.topic + " has " + std::to_string(partitions) +
                       " partitions, expected the store's " + std::to_string(expected) +
                       "; check topic name and store, and run: recount topic check");
    }
    opened_ = true;
}

bool AuditReading::fits(const AuditPlace& place, Partition partition,
                        const kafka::Watermarks& marks) {
    if (place.n < 1 || place.offset < marks.low || place.offset > marks.high) return false;
    const auto there = lanes_[static_cast<std::size_t>(partition.value)].window().at(place.n);
    if (there.event == nullptr || there.event->hash != place.hash) return false;
    const std::int64_t its_offset = place.offset - 1;
    if (its_offset < marks.low) return true;  // retention took it
    const auto record = reader_.record_at(partition.value, its_offset, broker_timeout_);
    const auto found = record ? place_of(*record) : std::nullopt;
    return found && found->position.n == place.n && found->hash == place.hash;
}

void AuditReading::start(Partition partition, const kafka::Watermarks& marks) {
    const auto index = static_cast<std::size_t>(partition.value);
    AuditPlace place;
    if (fits(from_[index], partition, marks)) place = from_[index];
    reader_.move(partition.value, std::max(place.offset, marks.low));
    lanes_[index].begin(place, marks.low);
    from_[index] = {};  // good for one time
    hands_[index] = {true, std::max(place.offset, marks.low), false};
}

/// False when what was to be read next is not kept any more, or when asked to stop.
bool AuditReading::read_on(Partition partition, std::int64_t until, const std::stop_token& stop) {
    const auto index = static_cast<std::size_t>(partition.value);
    AuditLane& lane = lanes_[index];
    Hand& hand = hands_[index];
    auto heard = store_.environment().clock.steady();
    while (hand.behind < until) {
        if (stop.stop_requested()) return false;
        hand.unjudged = true;  // also when the store throws, or the client skips what came damaged
        const auto polled = reader_.poll(partition.value, answer_step);
        const auto now = store_.environment().clock.steady();
        switch (polled.kind) {
            case kafka::Polled::Kind::record:
                if (const auto why = lane.take(*polled.record); !why.empty()) {
                    held_up_ = where(partition) + ": offset " +
                               std::to_string(polled.record->offset()) +
                               " cannot be judged yet: " + why;
                    return true;
                }
                hand.behind = lane.next_offset();
                hand.at_end = false;
                heard = now;
                break;
            case kafka::Polled::Kind::end:
                hand.behind = std::max(hand.behind, polled.end);  // control records
                hand.at_end = true;
                break;
            case kafka::Polled::Kind::lost:
                hand.started = false;
                return false;
            case kafka::Polled::Kind::nothing:
                hand.unjudged = false;
                if (hand.at_end && now - heard > held_up_for) {
                    held_up_ = where(partition) + ": what is behind offset " +
                               std::to_string(hand.behind) +
                               " cannot be read: a transaction of a foreign producer is open; "
                               "find it with kafka-transactions.sh";
                    return true;
                }
                if (now - heard > broker_timeout_) {
                    throw Unavailable(where(partition) +
                                      ": no broker answers; check that its leader runs");
                }
        }
        hand.unjudged = false;
    }
    return true;
}

void AuditReading::read(Partition partition, const std::stop_token& stop, std::int64_t published) {
    constexpr int most_losses = 3;
    const auto index = static_cast<std::size_t>(partition.value);
    for (int losses = 0; losses < most_losses; ++losses) {
        const auto marks = reader_.watermarks(partition.value, broker_timeout_);
        Hand& hand = hands_[index];
        if (hand.started && marks.high < lanes_[index].next_offset()) {
            spdlog::warn(
                "{}: ends at offset {}, before what was read already: it was truncated or "
                "made anew; it is proved anew",
                where(partition), marks.high);
            hand.started = false;
        }
        if (!hand.started) start(partition, marks);
        if (std::exchange(hand.unjudged, false)) {
            reader_.move(partition.value, hand.behind);
            hand.at_end = false;
        }
        held_up_.clear();
        if (read_on(partition, marks.high, stop)) {
            if (held_up_.empty()) {
                lanes_[index].settle(published);
            } else {
                lanes_[index].pause();
                world_.report.unknown = held_up_;
            }
            return;
        }
        if (stop.stop_requested()) return;
    }
    throw Unavailable(where(partition) +
                      " keeps losing what is read next; is its retention too short?");
}

}  // namespace recount
