#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <recount/eventstore/event_store.hpp>
#include <recount/outbox/relay.hpp>

#include "beat.hpp"
#include "cursor.hpp"
#include "kafka/producer.hpp"
#include "kafka/reader.hpp"
#include "record.hpp"
#include "topic_tail.hpp"

namespace recount {

/// One producer's life: finds the end of each topic partition, then sends what follows, until
/// something goes wrong. Whoever owns it then makes another from the cursors; it never guesses. One
/// thread.
class Publisher {
public:
    /// Compares the ends of the topic's partitions with the store; the topic was checked before.
    /// Throws Divergence, Unavailable.
    Publisher(EventStore& store, const RelayOptions& options, std::vector<Cursor> cursors);

    /// `blocked`: there is something to send, but deliveries must come in first.
    enum class Sent : std::uint8_t { nothing, some, blocked };
    /// Reads and sends a page of each partition that has one, as far as the local queue takes it.
    /// Throws when a delivery failed.
    Sent send();
    /// Lets deliveries come in.
    void poll(Duration at_most);
    /// Sends what the store says about itself, and how far the topic is.
    void beat();
    /// Looks at one partition after the other for records that are gone: throws Unavailable then,
    /// and Mismatch when partitions were added. A broker that does not answer is no news.
    void look_back();

    /// What is known to be in the topic.
    [[nodiscard]] std::vector<Cursor> confirmed() const;
    [[nodiscard]] Positions sent() const;
    [[nodiscard]] bool in_flight() const;
    [[nodiscard]] std::int64_t delivered() const { return delivered_; }
    [[nodiscard]] std::int64_t backlog() const;
    [[nodiscard]] std::size_t incarnations() const { return incarnations_.size(); }
    /// Reads the store's heads anew: what there is to send.
    void refresh_heads();
    bool covers(const std::vector<LogHead>& heads) const;
    kafka::Producer& producer() { return producer_; }

private:
    /// One partition on its way.
    struct Lane {
        Cursor confirmed;
        ChainCheck chain;                 // stands at the last event sent
        std::vector<RecordedEvent> page;  // read, not yet sent from `next` on
        std::size_t next = 0;
        std::deque<Cursor> in_flight;
        std::int64_t last_offset = -1;                     // of the last record known there
        std::optional<std::chrono::nanoseconds> known_at;  // when a broker last confirmed one
        std::int64_t head = 0;                             // of the store, as last read

        [[nodiscard]] std::int64_t sent() const { return chain.n(); }
    };

    Lane lane_behind(Partition partition, const Cursor& cursor, const TopicTail& tail,
                     const LogHead& head);
    Hash hash_at(const Position& position, const LogHead& head);
    bool send_page(Lane& lane);
    bool must_wait(const Lane& lane);
    void on_delivery(const kafka::Delivery& delivery);
    void fail(const kafka::Delivery& delivery, const std::string& what, bool for_ever);
    void raise_fault() const;

    EventStore& store_;
    const RelayOptions& options_;
    kafka::Settings settings_;
    std::vector<Incarnation> incarnations_;
    std::string log_;
    RecordEncoder encoder_;
    kafka::Reader reader_;
    std::vector<Lane> lanes_;
    std::size_t turn_ = 0;  // the partition that look_back() looks at next
    std::int64_t delivered_ = 0;
    std::optional<std::pair<bool, std::string>> fault_;  // for ever?, what
    kafka::Producer producer_;                           // last: its callbacks use the others
};

}  // namespace recount
