#include "publisher.hpp"

#include <algorithm>
#include <limits>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>

namespace recount {
namespace {

constexpr std::uint64_t beat_ticket = std::numeric_limits<std::uint64_t>::max();
constexpr Duration answer_time = std::chrono::milliseconds{500};  // the lease must not wait longer
// Kafka forgets an idle producer after a day, unless told to do so sooner.
constexpr std::chrono::nanoseconds known_for = std::chrono::minutes{1};
constexpr ReadLog page_size{.max_events = 2000, .max_bytes = std::size_t{2} << 20};

}  // namespace

Publisher::Publisher(EventStore& store, const RelayOptions& options, std::vector<Cursor> cursors)
    : store_(store),
      options_(options),
      settings_(kafka::client_settings(options.topic)),
      incarnations_(store.incarnations()),
      log_(options.topic.log(incarnations_.size() - 1)),
      encoder_(source_of(store.identity().id, options.source), incarnations_.back().id,
               options.withhold),
      reader_(settings_, log_),
      producer_(settings_, {.linger = options.linger, .record_bytes = options.record_bytes},
                [this](const kafka::Delivery& delivery) { on_delivery(delivery); }) {
    cursors.resize(static_cast<std::size_t>(store.identity().partitions));
    const auto tails = read_tails(reader_, cursors, store_.environment(), options_.broker_timeout);
    const auto heads = store_.heads();  // read last: the topic cannot be ahead of these
    for (std::size_t index = 0; index < tails.size(); ++index) {
        lanes_.push_back(lane_behind(Partition{static_cast<std::int32_t>(index)}, cursors[index],
                                     tails[index], heads.at(index)));
    }
    refresh_heads();
}

Hash Publisher::hash_at(const Position& position, const LogHead& head) {
    if (position.n == 0) {
        return incarnations_.front().origin(store_.identity().id, position.partition);
    }
    if (position.n > head.n) {
        throw Divergence("topic " + log_ + " holds position " + to_string(position) +
                         ", but store " + store_.identity().name + " ends at " +
                         to_string(Position{position.partition, head.n}) +
                         ": it was restored to an earlier state; declare the restore, and the "
                         "relay begins a new topic");
    }
    if (position.n == head.n) return head.hash;
    return store_.read(position.partition, position.n - 1, {.max_events = 1}).events.at(0).hash;
}

Publisher::Lane Publisher::lane_behind(Partition partition, const Cursor& cursor,
                                       const TopicTail& tail, const LogHead& head) {
    const Hash hash = hash_at({partition, tail.n}, head);
    if (tail.hash && *tail.hash != hash) {
        throw Divergence("topic " + log_ + " and store " + store_.identity().name +
                         " differ at position " + to_string(Position{partition, tail.n}) + ": " +
                         to_string(*tail.hash) + " there, " + to_string(hash) +
                         " here; another store writes to this topic, or a restore was not "
                         "declared");
    }
    if (tail.n < cursor.n || tail.hole_at > 0) {
        spdlog::warn(
            "topic {} partition {}: events behind {} are missing, confirmed was {}; they "
            "are sent again from there",
            log_, partition.value, tail.n, cursor.n);
    }
    return Lane{.confirmed = {tail.n, hash},
                .chain = ChainCheck{partition, tail.n, hash},
                .page = {},
                .in_flight = {},
                .last_offset = tail.last_offset};
}

void Publisher::refresh_heads() {
    const auto heads = store_.heads();
    for (std::size_t index = 0; index < lanes_.size() && index < heads.size(); ++index) {
        lanes_[index].head = heads[index].n;
    }
}

Publisher::Sent Publisher::send() {
    Sent sent = Sent::nothing;
    for (std::size_t index = 0; index < lanes_.size(); ++index) {
        Lane& lane = lanes_[index];
        if (lane.next == lane.page.size() && lane.sent() < lane.head) {
            const Partition partition{static_cast<std::int32_t>(index)};
            lane.page = store_.read(partition, lane.sent(), page_size).events;
            lane.next = 0;
        }
        if (lane.next == lane.page.size()) continue;
        const bool some = send_page(lane);
        if (sent != Sent::some) sent = some ? Sent::some : Sent::blocked;
    }
    raise_fault();
    return sent;
}

/// A broker takes any sequence number from a producer it does not know (yet, or any more). So the
/// first record goes alone: were it to fail while others are on their way, those would be let in
/// before it.
bool Publisher::must_wait(const Lane& lane) {
    const auto now = store_.environment().clock.steady();
    return !lane.in_flight.empty() && (!lane.known_at || now - *lane.known_at > known_for);
}

bool Publisher::send_page(Lane& lane) {
    bool some = false;
    for (; lane.next < lane.page.size() && !must_wait(lane); ++lane.next) {
        const RecordedEvent& event = lane.page[lane.next];
        ChainCheck chain = lane.chain;
        chain.next(event, store_.identity().id, incarnations_);
        const auto message = encoder_.encode(event);
        try {
            if (!producer_.produce(log_, message,
                                   static_cast<std::uint64_t>(event.at.position.n))) {
                break;
            }
        } catch (const InvalidArgument& error) {
            throw Mismatch("position " + to_string(event.at.position) + ": " + error.what());
        }
        lane.chain = chain;
        lane.in_flight.push_back({event.at.position.n, event.hash});
        some = true;
    }
    return some;
}

void Publisher::on_delivery(const kafka::Delivery& delivery) {
    if (delivery.ticket == beat_ticket) return;  // another follows in a second
    if (fault_) return;                          // behind a hole nothing counts, even if it arrived
    if (delivery.too_large) {
        fail(delivery,
             "is larger than the broker takes; raise max.message.bytes of the topic "
             "(recount topic check prints the command)",
             true);
        return;
    }
    if (delivery.fate != kafka::Fate::delivered) {
        fail(delivery,
             std::string{"was not confirmed: "} + delivery.error +
                 "; the topic's end is read again before anything is sent",
             false);
        return;
    }
    Lane& lane = lanes_.at(static_cast<std::size_t>(delivery.partition));
    const auto n = static_cast<std::int64_t>(delivery.ticket);
    if (lane.in_flight.empty() || lane.in_flight.front().n != n ||
        delivery.offset <= lane.last_offset) {
        fail(delivery,
             "arrived at offset " + std::to_string(delivery.offset) + ", not behind " +
                 std::to_string(lane.last_offset) +
                 ": the topic was truncated or made anew; its end is read again",
             false);
        return;
    }
    lane.known_at = store_.environment().clock.steady();
    lane.last_offset = delivery.offset;
    lane.confirmed = lane.in_flight.front();
    lane.in_flight.pop_front();
    ++delivered_;
}

void Publisher::fail(const kafka::Delivery& delivery, const std::string& what, bool for_ever) {
    const Position position{Partition{delivery.partition},
                            static_cast<std::int64_t>(delivery.ticket)};
    fault_ = {for_ever, "topic " + log_ + ": position " + to_string(position) + " " + what};
}

void Publisher::raise_fault() const {
    if (fault_) {
        if (fault_->first) throw Mismatch(fault_->second);
        throw Unavailable(fault_->second);
    }
    if (const auto fatal = producer_.fatal_error()) {
        throw Unavailable("topic " + log_ + ": the producer broke: " + *fatal +
                          "; a new one goes on from the cursor");
    }
}

void Publisher::poll(Duration at_most) {
    producer_.poll(at_most);
    raise_fault();
}

void Publisher::beat() {
    Beat beat;
    beat.identity = store_.identity();
    beat.at = store_.environment().clock.now();
    beat.log = log_;
    beat.heads = store_.heads();
    beat.incarnations = incarnations_;
    for (std::size_t index = 0; index < lanes_.size(); ++index) {
        lanes_[index].head = beat.heads.at(index).n;
        beat.published.push_back(lanes_[index].confirmed.n);
    }
    const std::string key = to_string(beat.identity.id);
    const std::string json = encode(beat);
    const std::vector<kafka::Header> headers{{"content-type", "application/json"}};
    kafka::Message message;
    message.key = key;
    message.value = json;
    message.headers = headers;
    message.time = beat.at;
    static_cast<void>(producer_.produce(options_.topic.heads(), message, beat_ticket));
}

void Publisher::look_back() {
    const auto number = static_cast<std::int32_t>(turn_);
    turn_ = (turn_ + 1) % lanes_.size();
    std::int32_t partitions = store_.identity().partitions;
    std::int64_t high = std::numeric_limits<std::int64_t>::max();
    try {
        if (number == 0) partitions = reader_.partitions(answer_time);
        high = reader_.watermarks(number, answer_time).high;
    } catch (const Unavailable& error) {
        spdlog::debug("{}", error.what());  // deliveries wait as well; the backlog tells
    }
    if (partitions != store_.identity().partitions) {
        throw Mismatch("topic " + log_ + " now has " + std::to_string(partitions) +
                       " partitions, expected the store's " +
                       std::to_string(store_.identity().partitions) +
                       "; create a topic of another name and let the relay fill it");
    }
    const Lane& lane = lanes_[static_cast<std::size_t>(number)];
    if (high > lane.last_offset) return;
    throw Unavailable("topic " + log_ + " partition " + std::to_string(number) +
                      " ends at offset " + std::to_string(high) + ", expected behind " +
                      std::to_string(lane.last_offset) +
                      ": it was truncated or made anew; its end is read again");
}

std::vector<Cursor> Publisher::confirmed() const {
    std::vector<Cursor> cursors;
    for (const auto& lane : lanes_) cursors.push_back(lane.confirmed);
    return cursors;
}

Positions Publisher::sent() const {
    Positions positions{lanes_.size()};
    for (std::size_t index = 0; index < lanes_.size(); ++index) {
        positions.set({Partition{static_cast<std::int32_t>(index)}, lanes_[index].sent()});
    }
    return positions;
}

bool Publisher::in_flight() const {
    return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) {
        return !lane.in_flight.empty() || lane.next < lane.page.size();
    });
}

std::int64_t Publisher::backlog() const {
    std::int64_t sum = 0;
    for (const auto& lane : lanes_) sum += std::max<std::int64_t>(0, lane.head - lane.confirmed.n);
    return sum;
}

bool Publisher::covers(const std::vector<LogHead>& heads) const {
    for (std::size_t index = 0; index < lanes_.size() && index < heads.size(); ++index) {
        if (lanes_[index].confirmed.n < heads[index].n) return false;
    }
    return true;
}

}  // namespace recount
