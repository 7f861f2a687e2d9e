#include "beat_reader.hpp"

#include <algorithm>
#include <utility>

#include <recount/core/error.hpp>

namespace recount {
namespace {

constexpr Duration answer_step = std::chrono::milliseconds{100};
constexpr std::int64_t first_window = 8;
constexpr std::int64_t window_growth = 16;

/// True when a history goes on from another one: it begins with its incarnations, and has more.
bool goes_on_from(const std::vector<Incarnation>& longer, const std::vector<Incarnation>& shorter) {
    const auto same = [](const Incarnation& l, const Incarnation& r) { return l.id == r.id; };
    return longer.size() > shorter.size() &&
           std::equal(shorter.begin(), shorter.end(), longer.begin(), same);
}

}  // namespace

BeatReader::BeatReader(const KafkaLogOptions& options, Environment& environment)
    : environment_(environment),
      timeout_(options.broker_timeout),
      reader_(kafka::client_settings(options.topic), options.topic.heads()) {}

void BeatReader::take(const kafka::Record& record) {
    if (!record.value()) return;
    auto beat = decode_beat(*record.value());
    if (!beat) return;
    if (beat_ && beat->identity.id != beat_->identity.id) {
        throw Mismatch("topic " + reader_.topic() + " carries beats of two stores, " +
                       to_string(beat_->identity.id) + " and " + to_string(beat->identity.id) +
                       "; give each store a topic name of its own");
    }
    // A store keeps its partitions: this one was not told by its relay.
    if (beat_ && beat_->heads.size() != beat->heads.size()) return;
    // Of a relay that was paused, or cut off, and knows nothing of the fork yet.
    if (beat_ && goes_on_from(beat_->incarnations, beat->incarnations)) return;
    beat_ = std::move(beat);
}

/// A topic that somebody made a moment ago is not known to each broker yet.
void BeatReader::require_topic() {
    const auto until = environment_.clock.steady() + timeout_ / 8;
    for (;;) {
        try {
            reader_.partitions(timeout_);
            return;
        } catch (const Mismatch&) {
            if (environment_.clock.steady() > until) throw;
        }
        environment_.scheduler.sleep(answer_step);
    }
}

/// Beats are told every second and compacted, so the newest is looked for from the end.
void BeatReader::from_the_end() {
    if (!was_there_) require_topic();
    was_there_ = true;
    const auto marks = reader_.watermarks(0, timeout_);
    std::int64_t from = marks.high;
    for (std::int64_t window = first_window; !beat_ && from > marks.low; window *= window_growth) {
        from = std::max(marks.low, marks.high - window);
        reader_.move(0, from);
        auto heard = environment_.clock.steady();
        while (true) {
            const auto polled = reader_.poll(0, answer_step);
            if (polled.kind == kafka::Polled::Kind::record) {
                take(*polled.record);
                heard = environment_.clock.steady();
                if (polled.record->offset() >= marks.high - 1) break;
            } else if (polled.kind != kafka::Polled::Kind::nothing) {
                break;
            } else if (environment_.clock.steady() - heard > timeout_) {
                throw Unavailable("topic " + reader_.topic() +
                                  ": no broker answers; check that its leader runs");
            }
        }
    }
    if (from == marks.high) reader_.move(0, from);
    started_ = true;
}

const std::optional<Beat>& BeatReader::newest() {
    if (!started_) from_the_end();
    while (true) {
        const auto polled = reader_.poll(0, Duration::zero());
        if (polled.kind == kafka::Polled::Kind::record) {
            take(*polled.record);
        } else if (polled.kind == kafka::Polled::Kind::lost) {
            started_ = false;  // deleted or made anew
            return beat_;
        } else if (polled.kind == kafka::Polled::Kind::nothing) {
            return beat_;
        }
    }
}

}  // namespace recount
