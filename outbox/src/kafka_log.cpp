#include <recount/outbox/kafka_log.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <limits>
#include <mutex>
#include <utility>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>

#include "beat_reader.hpp"
#include "reel.hpp"

namespace recount {
namespace {

constexpr Duration longest_wait = std::chrono::hours{24 * 365};
constexpr auto beat_look = std::chrono::milliseconds{200};  // between two looks at the heads topic

}  // namespace

class KafkaLog::Parts {
public:
    explicit Parts(KafkaLogOptions options)
        : options_(std::move(options)),
          environment_(options_.environment != nullptr ? *options_.environment
                       : options_.store != nullptr     ? options_.store->environment()
                                                       : Environment::system()),
          settings_(kafka::client_settings(options_.topic)),
          arrival_(environment_.scheduler.signal()),
          beats_(options_, environment_) {
        std::lock_guard lock{mutex_};
        look();
    }

    const StoreIdentity& identity() const { return *identity_.load(); }
    Environment& environment() { return environment_; }
    [[nodiscard]] EventStore* store() const { return options_.store; }
    std::vector<Incarnation> incarnations() { return reel()->world().incarnations; }
    LogPage read(Partition partition, std::int64_t after, const ReadLog& options);
    std::vector<LogHead> heads();
    NewestHeads newest_heads();
    std::optional<PublishedHeads> published();
    bool wait(const Positions& seen, Duration at_most, std::stop_token stop);
    void remember(const Position& at, std::int64_t offset);
    ForeignRecords foreign() const {
        std::lock_guard lock{foreign_mutex_};
        return foreign_;
    }

private:
    void look();
    std::optional<PublishedHeads> told();
    void turn_to(const StoreIdentity& identity, std::vector<Incarnation> incarnations);
    std::shared_ptr<Reel> reel();
    bool any_more(Reel& reel, const Positions& seen);
    std::int64_t published_in(std::int32_t partition);
    void count_foreign(std::string what);

    KafkaLogOptions options_;
    Environment& environment_;
    kafka::Settings settings_;
    std::unique_ptr<Signal> arrival_;  // outlives the reader that raises it

    std::mutex mutex_;  // of what follows, up to the next mutex
    BeatReader beats_;
    std::optional<Beat> beat_;
    std::optional<std::chrono::nanoseconds> looked_;
    std::shared_ptr<Reel> reel_, before_;
    std::deque<StoreIdentity> identities_;  // grows only: identity() hands out references
    std::atomic<const StoreIdentity*> identity_{nullptr};

    mutable std::mutex foreign_mutex_;
    ForeignRecords foreign_;
};

void KafkaLog::Parts::count_foreign(std::string what) {
    environment_.metrics
        .counter("recount_log_foreign_records_total", "Records in the topic that are not recount's",
                 {{"topic", options_.topic.name}})
        .add();
    std::lock_guard lock{foreign_mutex_};
    if (foreign_.count == 0) spdlog::warn("passed over: {}", what);
    ++foreign_.count;
    foreign_.last = std::move(what);
}

void KafkaLog::Parts::turn_to(const StoreIdentity& identity,
                              std::vector<Incarnation> incarnations) {
    const std::string topic = options_.topic.log(incarnations.size() - 1);
    // A second restore to a state before the first one leads to the same name.
    if (reel_ && reel_->topic() == topic &&
        reel_->world().incarnations.back().id == incarnations.back().id) {
        return;
    }
    TapeWorld world{identity,
                    std::move(incarnations),
                    options_.store,
                    environment_,
                    options_.broker_timeout,
                    [this](std::string what) { count_foreign(std::move(what)); },
                    environment_.metrics.counter("recount_log_searches_total",
                                                 "Times a place in the topic was looked for",
                                                 {{"topic", options_.topic.name}})};
    try {
        auto next = std::make_shared<Reel>(settings_, topic, std::move(world),
                                           [this] { arrival_->raise(); });
        before_ = std::exchange(reel_, std::move(next));
    } catch (const Mismatch& error) {
        if (!reel_) throw;
        // The relay has made the topic of the new incarnation, and not every broker knows it yet.
        throw Unavailable(error.what());
    }
    identities_.push_back(identity);
    identity_.store(&identities_.back());
}

/// Looks at the newest beat, and follows it to another topic after a fork.
void KafkaLog::Parts::look() {
    const auto now = environment_.clock.steady();
    if (looked_ && now - *looked_ < beat_look) return;
    beat_ = beats_.newest();
    looked_ = now;
    if (options_.store != nullptr) {
        const auto& own = options_.store->identity();
        if (beat_ && beat_->identity.id != own.id) {
            throw Mismatch("topic " + options_.topic.name + " carries store " +
                           to_string(beat_->identity.id) + ", expected " + to_string(own.id) +
                           " (" + own.name + "); check topic name and store");
        }
        // The topic of a new incarnation is there once the relay has begun it.
        const bool begun = beat_ && reel_ &&
                           (beat_->log != reel_->topic() ||
                            beat_->incarnations.back().id != reel_->world().incarnations.back().id);
        if (!reel_ || begun) turn_to(own, options_.store->incarnations());
    } else if (beat_) {
        turn_to(beat_->identity, beat_->incarnations);
    } else if (!reel_) {
        throw Unavailable("topic " + options_.topic.heads() +
                          " is empty: no relay has published to " + options_.topic.name +
                          " yet; start one, or open the log with its store");
    }
}

std::shared_ptr<Reel> KafkaLog::Parts::reel() {
    std::shared_ptr<Reel> before;  // ends behind the lock: its clients take their time
    std::lock_guard lock{mutex_};
    look();
    before.swap(before_);
    return reel_;
}

std::int64_t KafkaLog::Parts::published_in(std::int32_t partition) {
    std::lock_guard lock{mutex_};
    const auto index = static_cast<std::size_t>(partition);
    return beat_ && index < beat_->published.size() ? beat_->published[index] : -1;
}

LogPage KafkaLog::Parts::read(Partition partition, std::int64_t after, const ReadLog& options) {
    const auto reel = this->reel();
    if (partition.value < 0 || partition.value >= reel->world().identity.partitions || after < 0) {
        throw InvalidArgument("position " + to_string(Position{partition, after}) +
                              " is not in a log of " +
                              std::to_string(reel->world().identity.partitions) + " partitions");
    }
    Deck& deck = reel->decks()[static_cast<std::size_t>(partition.value)];
    const std::int64_t published = published_in(partition.value);
    return deck.with_tape(after, [&](Tape& tape) {
        const auto all = [&](std::int64_t behind, const ReadLog& limits) {
            LogPage page = tape.read(behind, limits, published);
            page.upto = page.events.empty() ? behind : page.events.back().at.position.n;
            return page;
        };
        return options.filter.everything() ? all(after, options)
                                           : filter_pages(after, options, all);
    });
}

void KafkaLog::Parts::remember(const Position& at, std::int64_t offset) {
    std::shared_ptr<Reel> reel;
    {
        std::lock_guard lock{mutex_};
        reel = reel_;
    }
    if (at.partition.value < 0 || at.partition.value >= reel->world().identity.partitions) return;
    reel->decks()[static_cast<std::size_t>(at.partition.value)].remember(at.n, offset);
}

std::optional<PublishedHeads> KafkaLog::Parts::published() {
    std::lock_guard lock{mutex_};
    return told();
}

std::optional<PublishedHeads> KafkaLog::Parts::told() {
    look();
    if (!beat_) return std::nullopt;
    PublishedHeads heads{beat_->heads, beat_->published, beat_->at, false};
    heads.fresh = environment_.clock.now() - beat_->at <= options_.silence;
    return heads;
}

std::vector<LogHead> KafkaLog::Parts::heads() {
    return options_.store != nullptr ? options_.store->heads() : newest_heads().heads;
}

NewestHeads KafkaLog::Parts::newest_heads() {
    if (options_.store != nullptr) return recount::newest_heads(*options_.store);
    std::lock_guard lock{mutex_};
    auto known = told();
    if (known && known->fresh) {
        // What was read since the beat came is at least as far. Beat and tapes may be of different
        // incarnations while the log turns.
        const std::size_t shown =
            beat_->log == reel_->topic() ? std::min(known->heads.size(), reel_->decks().size()) : 0;
        for (std::size_t index = 0; index < shown; ++index) {
            const LogHead read = reel_->decks()[index].furthest();
            if (read.n > known->heads[index].n) known->heads[index] = read;
        }
        const Duration age = environment_.clock.now() - known->at;
        return {std::move(known->heads), std::max(age, Duration::zero())};
    }
    throw Unavailable("topic " + options_.topic.name + ": its relay has not been heard of since " +
                      (known ? to_string(known->at) : "ever") +
                      ", so how far behind this log is cannot be told; start the relay");
}

bool KafkaLog::Parts::any_more(Reel& reel, const Positions& seen) {
    for (std::size_t index = 0; index < reel.decks().size(); ++index) {
        const auto number = static_cast<std::int32_t>(index);
        const std::int64_t behind = seen[Partition{number}];
        if (behind == std::numeric_limits<std::int64_t>::max()) continue;
        const std::int64_t published = published_in(number);
        const auto more = [&](Tape& tape) { return tape.more(behind, published); };
        if (reel.decks()[index].with_tape(behind, more)) return true;
    }
    return false;
}

bool KafkaLog::Parts::wait(const Positions& seen, Duration at_most, std::stop_token stop) {
    const auto until = environment_.clock.steady() + std::min(at_most, longest_wait);
    while (true) {
        const auto count = arrival_->count();
        const auto reel = this->reel();
        if (any_more(*reel, seen)) return true;
        const auto left = until - environment_.clock.steady();
        if (left <= std::chrono::nanoseconds::zero() || stop.stop_requested()) return false;
        // A fork is told by a beat, which raises no signal here.
        const auto nap = std::min<std::chrono::nanoseconds>(left, options_.silence / 3);
        arrival_->wait(count, std::chrono::ceil<Duration>(nap), stop);
    }
}

KafkaLog::KafkaLog(KafkaLogOptions options) : parts_(std::make_unique<Parts>(std::move(options))) {}
KafkaLog::~KafkaLog() = default;

const StoreIdentity& KafkaLog::identity() const { return parts_->identity(); }
Environment& KafkaLog::environment() { return parts_->environment(); }
std::vector<Incarnation> KafkaLog::incarnations() { return parts_->incarnations(); }
LogPage KafkaLog::read(Partition partition, std::int64_t after, const ReadLog& options) {
    return parts_->read(partition, after, options);
}
void KafkaLog::require_readable(std::span<const std::string_view> types) {
    if (EventStore* const store = parts_->store()) store->require_readable(types);
}
void KafkaLog::remember(const Position& at, std::int64_t place) { parts_->remember(at, place); }
std::vector<LogHead> KafkaLog::heads() { return parts_->heads(); }
NewestHeads KafkaLog::newest_heads() { return parts_->newest_heads(); }
std::optional<PublishedHeads> KafkaLog::published() { return parts_->published(); }
bool KafkaLog::wait(const Positions& seen, Duration at_most, std::stop_token stop) {
    return parts_->wait(seen, at_most, std::move(stop));
}
ForeignRecords KafkaLog::foreign() const { return parts_->foreign(); }

}  // namespace recount
