#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recount/eventstore/event_store.hpp>
#include <recount/outbox/kafka_topic.hpp>

#include "cursor.hpp"
#include "kafka/producer.hpp"
#include "kafka/reader.hpp"

namespace recount {

/// A store's partitions on their way to a topic: one producer's life, until something goes wrong.
/// Whoever owns it then makes another from the cursors; it never guesses. What an event becomes is
/// its heirs' affair; an event is confirmed when all of its records and all events before it are.
/// One thread.
class Publishing {
public:
    virtual ~Publishing() = default;
    Publishing(const Publishing&) = delete;
    Publishing& operator=(const Publishing&) = delete;

    /// `blocked`: there is something to send, but deliveries must come in first.
    enum class Sent : std::uint8_t { nothing, some, blocked };
    /// Reads and sends a page of each partition that has one, as far as the local queue takes it,
    /// but not for long, as the owner has beats to send and a lease to look at: the next call goes
    /// on behind the last partition. Throws when a delivery failed.
    Sent send();
    /// Lets deliveries come in.
    void poll(Duration at_most);
    /// Says what there is to say once a second; the store's heads were read then.
    virtual void beat(const std::vector<LogHead>& heads, Timestamp) { learn_heads(heads); }
    /// Looks at one partition after the other for records that are gone: throws Unavailable then,
    /// and Mismatch when partitions were added. A broker that does not answer is no news.
    void look_back();

    /// What is to be remembered.
    [[nodiscard]] virtual Progress progress() const { return {confirmed(), {}, {}}; }
    /// What is known to be in the topic.
    [[nodiscard]] std::vector<Cursor> confirmed() const;
    [[nodiscard]] Positions sent() const;
    [[nodiscard]] bool in_flight() const;
    [[nodiscard]] std::int64_t delivered() const { return delivered_; }
    [[nodiscard]] std::int64_t backlog() const;
    [[nodiscard]] std::size_t incarnations() const { return incarnations_.size(); }
    [[nodiscard]] const std::string& topic() const { return topic_; }
    /// Reads the store's heads anew: what there is to send.
    void refresh_heads();
    bool covers(const std::vector<LogHead>& heads) const;
    kafka::Producer& producer() { return producer_; }

protected:
    /// `partition_count` says, for people, whose number of partitions the topic must keep.
    Publishing(EventStore& store, kafka::Settings settings, std::vector<Incarnation> incarnations,
               std::string topic, const kafka::ProducerOptions& options,
               std::string partition_count);

    /// The records of an event: the same whenever it is asked. Views, valid until the next call.
    virtual std::span<const kafka::Message> encode(const RecordedEvent& event) = 0;

    /// A partition of the store, in order of number; its events behind `start` are to be sent.
    void add_lane(Partition partition, const Cursor& start);
    /// A partition of the topic, in order of number.
    void add_end(std::int64_t last_offset, const LastMessage& last = {}) {
        End& end = ends_.emplace_back();
        end.last_offset = last_offset;
        end.last_message = last;
    }
    void learn_heads(const std::vector<LogHead>& heads);
    /// The offset of the last record known in each of the topic's partitions.
    [[nodiscard]] std::vector<std::int64_t> last_offsets() const;
    /// The last that was confirmed in each of them.
    [[nodiscard]] std::vector<LastMessage> last_messages() const;
    /// Of a position at or before `head`.
    Hash hash_at(const Position& position, const LogHead& head);

    /// Sends what need not arrive, and nothing while what was last sent so is still on its way:
    /// where a topic has no leader for a day it would fill the queue that the events go through.
    void produce_unless_pending(const std::string& topic, const kafka::Message& message);

    EventStore& store_;
    kafka::Settings settings_;
    std::vector<Incarnation> incarnations_;
    kafka::Reader reader_;

private:
    struct Pending {
        Cursor cursor;
        Uuid event_id;
        std::size_t left = 0;  // records that are not confirmed
    };
    /// One of the store's partitions.
    struct Lane {
        Cursor confirmed;
        ChainCheck chain;                 // stands at the last event that was begun
        std::vector<RecordedEvent> page;  // read, not yet sent from `next` on
        std::size_t next = 0;
        std::size_t part = 0;  // so many records of page[next] were sent
        std::deque<Pending> in_flight;
        std::int64_t head = 0;  // of the store, as last read

        [[nodiscard]] std::int64_t sent() const { return chain.n(); }
        void settle();
    };
    /// One of the topic's partitions.
    struct End {
        std::int64_t last_offset = -1;  // of the last record known there, whosever it is
        LastMessage last_message;
        std::optional<std::chrono::nanoseconds> known_at;  // when a broker last confirmed one
        struct Sent {
            std::uint64_t ticket = 0;
            std::size_t bytes = 0;
        };
        std::deque<Sent> in_flight;
        std::size_t bytes = 0;  // of those
    };

    void read_page(Lane& lane, Partition partition);
    bool send_page(Lane& lane);
    bool send_records(Lane& lane, const RecordedEvent& event,
                      std::span<const kafka::Message> records);
    [[nodiscard]] bool must_wait(const End& end, std::size_t bytes) const;
    void on_delivery(const kafka::Delivery& delivery);
    void fail(const kafka::Delivery& delivery, const std::string& what, bool for_ever);
    void raise_fault() const;

    std::string topic_;
    std::string partition_count_;
    std::vector<Lane> lanes_;
    std::vector<End> ends_;
    std::size_t turn_ = 0;       // the partition that look_back() looks at next
    std::size_t next_lane_ = 0;  // with which send() begins
    bool queue_full_ = false;    // when something was last to be sent
    std::int64_t delivered_ = 0;
    bool pending_ = false;                               // see produce_unless_pending()
    std::optional<std::pair<bool, std::string>> fault_;  // for ever?, what
    kafka::Producer producer_;                           // last: its callbacks use the others
};

}  // namespace recount
