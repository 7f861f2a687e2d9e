#include "publishing.hpp"

#include <algorithm>
#include <limits>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>

namespace recount {
namespace {

constexpr Duration answer_time = std::chrono::milliseconds{500};  // the lease must not wait longer
// Kafka forgets an idle producer after a day, unless told to do so sooner.
constexpr std::chrono::nanoseconds known_for = std::chrono::minutes{1};
constexpr Duration at_a_time = std::chrono::milliseconds{100};
constexpr ReadLog page_size{.max_events = 2000, .max_bytes = std::size_t{2} << 20};
constexpr std::size_t all_pages = std::size_t{32} << 20;  // bytes, shared by all partitions
constexpr std::size_t least_page = std::size_t{64} << 10;

constexpr std::uint64_t no_ticket = ~std::uint64_t{0};  // its delivery does not matter
// Any other ticket names the event whose record it is.
constexpr unsigned number_bits = 48;
std::uint64_t ticket_of(const Position& position) {
    return static_cast<std::uint64_t>(position.partition.value) << number_bits |
           static_cast<std::uint64_t>(position.n);
}
Position position_of(std::uint64_t ticket) {
    constexpr std::uint64_t number = (std::uint64_t{1} << number_bits) - 1;
    return {Partition{static_cast<std::int32_t>(ticket >> number_bits)},
            static_cast<std::int64_t>(ticket & number)};
}

}  // namespace

Publishing::Publishing(EventStore& store, kafka::Settings settings,
                       std::vector<Incarnation> incarnations, std::string topic,
                       const kafka::ProducerOptions& options, std::string partition_count)
    : store_(store),
      settings_(std::move(settings)),
      incarnations_(std::move(incarnations)),
      reader_(settings_, topic),
      topic_(std::move(topic)),
      partition_count_(std::move(partition_count)),
      producer_(settings_, options,
                [this](const kafka::Delivery& delivery) { on_delivery(delivery); }) {}

Hash Publishing::hash_at(const Position& position, const LogHead& head) {
    if (position.n == 0) {
        return incarnations_.front().origin(store_.identity().id, position.partition);
    }
    if (position.n == head.n) return head.hash;
    return store_.read(position.partition, position.n - 1, {.max_events = 1}).events.at(0).hash;
}

void Publishing::add_lane(Partition partition, const Cursor& start) {
    lanes_.push_back(Lane{.confirmed = start,
                          .chain = ChainCheck{partition, start.n, start.hash},
                          .page = {},
                          .in_flight = {}});
}

void Publishing::learn_heads(const std::vector<LogHead>& heads) {
    for (std::size_t index = 0; index < lanes_.size() && index < heads.size(); ++index) {
        lanes_[index].head = heads[index].n;
    }
}

void Publishing::refresh_heads() { learn_heads(store_.heads()); }

Publishing::Sent Publishing::send() {
    Sent sent = Sent::nothing;
    Clock& clock = store_.environment().clock;
    const std::chrono::nanoseconds until = clock.steady() + at_a_time;
    queue_full_ = false;
    for (std::size_t count = 0; count < lanes_.size() && clock.steady() < until; ++count) {
        Lane& lane = lanes_[next_lane_];
        read_page(lane, Partition{static_cast<std::int32_t>(next_lane_)});
        if (lane.next < lane.page.size()) {
            const bool some = send_page(lane);
            if (sent != Sent::some) sent = some ? Sent::some : Sent::blocked;
            if (queue_full_) break;  // nor does it take another's; this one is the next
        }
        next_lane_ = (next_lane_ + 1) % lanes_.size();
    }
    raise_fault();
    return sent;
}

/// A page that was sent is given back before anything else is read.
void Publishing::read_page(Lane& lane, Partition partition) {
    if (lane.next < lane.page.size()) return;
    if (!lane.page.empty()) lane.page = {};
    lane.next = 0;
    if (lane.sent() >= lane.head) return;
    ReadLog page = page_size;
    page.max_bytes = std::clamp(all_pages / lanes_.size(), least_page, page.max_bytes);
    lane.page = store_.read(partition, lane.sent(), page).events;
}

/// A broker takes any sequence number from a producer it does not know (yet, or any more). So the
/// first record goes alone: were it to fail while others are on their way, those would be let in
/// before it. And a partition without a leader must not fill the queue that all of them share.
bool Publishing::must_wait(const End& end, std::size_t bytes) const {
    if (end.in_flight.empty()) return false;
    const auto now = store_.environment().clock.steady();
    if (!end.known_at || now - *end.known_at > known_for) return true;
    return end.in_flight.size() >= kafka::queue_records / ends_.size() ||
           end.bytes + bytes > kafka::queue_bytes / ends_.size();
}

bool Publishing::send_page(Lane& lane) {
    bool some = false;
    for (; lane.next < lane.page.size(); ++lane.next) {
        const RecordedEvent& event = lane.page[lane.next];
        const bool begun = lane.sent() == event.at.position.n;
        if (!begun) lane.chain.next(event, store_.identity().id, incarnations_);
        const auto records = encode(event);
        if (!begun) {
            lane.in_flight.push_back(
                {{event.at.position.n, event.hash}, event.at.event_id, records.size()});
        }
        const std::size_t before = lane.part;
        const bool all = send_records(lane, event, records);
        some = some || all || lane.part != before;
        if (!all) break;
        lane.part = 0;
        lane.settle();  // of an event without records nobody hears
    }
    return some;
}

/// False when some of them must wait.
bool Publishing::send_records(Lane& lane, const RecordedEvent& event,
                              std::span<const kafka::Message> records) {
    for (; lane.part < records.size(); ++lane.part) {
        const kafka::Message& record = records[lane.part];
        End& end = ends_.at(static_cast<std::size_t>(record.partition));
        const std::size_t bytes = record.key.size() + (record.value ? record.value->size() : 0);
        if (must_wait(end, bytes)) return false;
        const auto ticket = ticket_of(event.at.position);
        try {
            if (!producer_.produce(topic_, record, ticket)) {
                queue_full_ = true;
                return false;
            }
        } catch (const InvalidArgument& error) {
            throw Mismatch("position " + to_string(event.at.position) + ": " + error.what());
        }
        end.in_flight.push_back({ticket, bytes});
        end.bytes += bytes;
    }
    return true;
}

void Publishing::produce_unless_pending(const std::string& topic, const kafka::Message& message) {
    if (pending_) return;
    pending_ = producer_.produce(topic, message, no_ticket);
}

void Publishing::Lane::settle() {
    for (; !in_flight.empty() && in_flight.front().left == 0; in_flight.pop_front()) {
        confirmed = in_flight.front().cursor;
    }
}

void Publishing::on_delivery(const kafka::Delivery& delivery) {
    if (delivery.ticket == no_ticket) {
        pending_ = false;
        return;
    }
    if (fault_) return;  // behind a hole nothing counts, even if it arrived
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
    End& end = ends_.at(static_cast<std::size_t>(delivery.partition));
    if (end.in_flight.empty() || end.in_flight.front().ticket != delivery.ticket ||
        delivery.offset <= end.last_offset) {
        fail(delivery,
             "arrived at offset " + std::to_string(delivery.offset) + ", not behind " +
                 std::to_string(end.last_offset) +
                 ": the topic was truncated or made anew; its end is read again",
             false);
        return;
    }
    end.known_at = store_.environment().clock.steady();
    end.last_offset = delivery.offset;
    end.bytes -= end.in_flight.front().bytes;
    end.in_flight.pop_front();
    const Position position = position_of(delivery.ticket);
    Lane& lane = lanes_.at(static_cast<std::size_t>(position.partition.value));
    const auto index = position.n - lane.in_flight.front().cursor.n;
    Pending& pending = lane.in_flight.at(static_cast<std::size_t>(index));
    end.last_message = {delivery.offset, pending.event_id};
    --pending.left;
    lane.settle();
    ++delivered_;
}

void Publishing::fail(const kafka::Delivery& delivery, const std::string& what, bool for_ever) {
    fault_ = {for_ever, "topic " + topic_ + ": position " +
                            to_string(position_of(delivery.ticket)) + " " + what};
}

void Publishing::raise_fault() const {
    if (fault_) {
        if (fault_->first) throw Mismatch(fault_->second);
        throw Unavailable(fault_->second);
    }
    if (const auto fatal = producer_.fatal_error()) {
        throw Unavailable("topic " + topic_ + ": the producer broke: " + *fatal +
                          "; a new one goes on from the cursor");
    }
}

void Publishing::poll(Duration at_most) {
    producer_.poll(at_most);
    raise_fault();
}

void Publishing::look_back() {
    const auto number = static_cast<std::int32_t>(turn_);
    const auto expected = static_cast<std::int32_t>(ends_.size());
    turn_ = (turn_ + 1) % ends_.size();
    std::int32_t partitions = expected;
    std::int64_t high = std::numeric_limits<std::int64_t>::max();
    try {
        if (number == 0) partitions = reader_.partitions(answer_time);
        high = reader_.watermarks(number, answer_time).high;
    } catch (const Unavailable& error) {
        spdlog::debug("{}", error.what());  // deliveries wait as well; the backlog tells
    } catch (const Mismatch& error) {
        throw Unavailable(error.what());  // it was there: whoever deleted it may make it again
    }
    if (partitions != expected) {
        throw Mismatch("topic " + topic_ + " now has " + std::to_string(partitions) +
                       " partitions, expected " + partition_count_ + std::to_string(expected) +
                       "; create a topic of another name and let the relay fill it");
    }
    const End& end = ends_[static_cast<std::size_t>(number)];
    if (high > end.last_offset) return;
    throw Unavailable("topic " + topic_ + " partition " + std::to_string(number) +
                      " ends at offset " + std::to_string(high) + ", expected behind " +
                      std::to_string(end.last_offset) +
                      ": it was truncated or made anew; its end is read again");
}

}  // namespace recount
