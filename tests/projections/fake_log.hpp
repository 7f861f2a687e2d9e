#pragma once

#include <recount/core/ids.hpp>
#include <recount/projections.hpp>

#include <vector>

#include "cart.pb.h"

namespace recount::test::projections {

/// A log of one partition that can be made to say what no real store would.
class FakeLog : public Log {
public:
    FakeLog() {
        Incarnation first;
        first.id = new_uuid7();
        first.forks.resize(1);
        incarnations_.push_back(first);
        identity_ = {new_uuid7(), first.id, 1, "fake"};
    }

    [[nodiscard]] const StoreIdentity& identity() const override { return identity_; }
    Environment& environment() override { return Environment::system(); }
    std::vector<Incarnation> incarnations() override { return incarnations_; }
    std::vector<LogHead> heads() override {
        if (events.empty()) {
            return {{0, incarnations_.back().origin(identity_.id, Partition{0}), {}}};
        }
        return {{events.back().at.position.n, events.back().hash, events.back().at.recorded_at}};
    }
    bool wait(const Positions&, Duration, std::stop_token) override { return false; }

    LogPage read(Partition partition, std::int64_t after, const ReadLog& options) override {
        if (!options.filter.everything()) {
            return filter_pages(after, options, [&](std::int64_t behind, const ReadLog& all) {
                return read(partition, behind, all);
            });
        }
        LogPage page;
        page.upto = after;
        std::size_t asked_for = 0;
        for (const RecordedEvent& event : events) {
            if (event.at.position.n + replayed <= after) continue;
            if (event.at.position.n == hidden) continue;
            page.events.push_back(event);
            page.upto = event.at.position.n;
            if (event.at.position.n > after && ++asked_for >= options.max_events) return page;
        }
        page.end = true;
        return page;
    }

    /// Appends an event that fits, in the newest incarnation.
    void append(const google::protobuf::Message& message) {
        RecordedEvent event;
        event.at.position = {Partition{0}, static_cast<std::int64_t>(events.size()) + 1};
        event.at.stream = StreamName::parse("cart-1");
        event.at.type = message.GetDescriptor()->full_name();
        event.at.append_id = "fake";
        event.at.recorded_at = environment().clock.now();
        event.at.occurred_at = event.at.recorded_at;
        event.salt = "salt";
        event.payload = new_event(message).payload;
        event.at.payload_digest = payload_digest(event.salt, *event.payload);
        event.envelope = encode(event.at);
        event.hash = chain_hash(event.at.position, before(event.at.position.n), event.envelope);
        events.push_back(std::move(event));
    }
    /// The store was restored to what it was after `n` events.
    void restore(std::int64_t n, bool declared) {
        events.resize(static_cast<std::size_t>(n));
        if (!declared) return;
        Incarnation next;
        next.id = new_uuid7();
        next.parent = incarnations_.back().id;
        next.forks = heads();
        incarnations_.push_back(next);
        identity_.incarnation = next.id;
    }

    std::vector<RecordedEvent> events;
    std::int64_t replayed = 0;  // so many events are given again before those that were asked for
    std::int64_t hidden = 0;    // this position is left out

private:
    [[nodiscard]] Hash before(std::int64_t n) const {
        const auto& living = incarnations_.back();
        if (living.forks[0].n == n - 1) return living.origin(identity_.id, Partition{0});
        return events.back().hash;
    }

    StoreIdentity identity_;
    std::vector<Incarnation> incarnations_;
};

}  // namespace recount::test::projections
