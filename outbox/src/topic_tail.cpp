#include "topic_tail.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include <recount/core/error.hpp>

#include "record.hpp"

namespace recount {
namespace {

constexpr std::int64_t first_window = 16;
constexpr std::int64_t window_growth = 8;

/// One window of a partition, read forwards by the rule of every reader: last + 1 only.
struct Pass {
    Cursor cursor;
    std::int64_t first = 0;  // position of the first record of ours; 0: none in the window
    std::int64_t have = 0;
    std::int64_t most = 0;
    std::optional<Hash> hash;
    bool met_cursor = false;

    void take(const RecordPlace& place) {
        const auto n = place.position.n;
        if (first == 0) {
            first = n;
            have = n - 1;
        }
        most = std::max(most, n);
        // Everything up to the cursor was confirmed when it was saved.
        const bool at_cursor = n == cursor.n && place.hash == cursor.hash;
        if (at_cursor) met_cursor = true;
        if (n == have + 1 || (at_cursor && n > have)) {
            have = n;
            hash = place.hash;
        }
    }
};

/// Reads from where the reader stands in a partition to its end.
Pass read_window(kafka::Reader& reader, std::int32_t partition, std::int64_t high,
                 const Cursor& cursor, Environment& environment, Duration timeout) {
    Pass pass{cursor};
    auto heard = environment.clock.steady();
    while (true) {
        const auto polled = reader.poll(partition, std::chrono::milliseconds{100});
        using Kind = kafka::Polled::Kind;
        if (polled.kind == Kind::end) break;
        if (polled.kind == Kind::lost) break;  // deleted meanwhile; the next window shows it
        if (polled.kind == Kind::nothing) {
            if (environment.clock.steady() - heard < timeout) continue;
            throw Unavailable("topic " + reader.topic() + " partition " +
                              std::to_string(partition) +
                              ": its end cannot be read; check that its leader runs");
        }
        heard = environment.clock.steady();
        if (const auto place = place_of(*polled.record)) pass.take(*place);
        if (polled.record->offset() >= high - 1) break;
    }
    return pass;
}

TopicTail tail_from(const Pass& pass, const kafka::Watermarks& marks, bool all) {
    TopicTail tail;
    tail.last_offset = marks.high - 1;
    if (pass.first == 0) {
        // Nothing of ours is left: a new topic, or one whose records were all deleted.
        tail.n = marks.low == 0 ? 0 : pass.cursor.n;
        return tail;
    }
    tail.n = pass.have;
    tail.hash = pass.hash;
    if (all && marks.low == 0 && pass.first > 1 && !pass.met_cursor) {
        tail.n = 0;  // nothing was deleted, so what precedes the first record never was there
        tail.hash.reset();
    }
    if (pass.most > tail.n) tail.hole_at = tail.n + 1;
    return tail;
}

}  // namespace

std::vector<TopicTail> read_tails(kafka::Reader& reader, const std::vector<Cursor>& cursors,
                                  Environment& environment, Duration timeout) {
    std::vector<kafka::Watermarks> marks;
    const auto count = static_cast<std::int32_t>(cursors.size());
    const auto begin = [&](std::int32_t partition, std::int64_t window) {
        const auto& mark = marks[static_cast<std::size_t>(partition)];
        const std::int64_t from = std::max(mark.low, mark.high - window);
        if (from < mark.high) reader.move(partition, from);
        return from == mark.low;
    };
    // All are begun before the first is read, so that they are fetched together.
    for (std::int32_t partition = 0; partition < count; ++partition) {
        marks.push_back(reader.watermarks(partition, timeout));
    }
    for (std::int32_t partition = 0; partition < count; ++partition) begin(partition, first_window);
    std::vector<TopicTail> tails;
    for (std::int32_t partition = 0; partition < count; ++partition) {
        const auto& mark = marks[static_cast<std::size_t>(partition)];
        const Cursor& cursor = cursors[static_cast<std::size_t>(partition)];
        std::int64_t window = first_window;
        bool all = mark.high - window <= mark.low;
        Pass pass{cursor};
        while (mark.low < mark.high) {
            pass = read_window(reader, partition, mark.high, cursor, environment, timeout);
            if (all || pass.met_cursor) break;
            window *= window_growth;
            all = begin(partition, window);
        }
        reader.stop(partition);
        tails.push_back(tail_from(pass, mark, all));
    }
    return tails;
}

}  // namespace recount
