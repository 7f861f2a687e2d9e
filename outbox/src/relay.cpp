#include <recount/outbox/relay.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>

#include "kafka/admin.hpp"
#include "publisher.hpp"
#include "relay_cursors.hpp"

namespace recount {
namespace {

constexpr Duration first_pause = std::chrono::milliseconds{100};
constexpr Duration longest_pause = std::chrono::seconds{5};
constexpr Duration standby_pause = std::chrono::milliseconds{500};
constexpr std::int64_t beats_between_forks = 10;  // between two looks for a new incarnation
constexpr Duration last_flush = std::chrono::seconds{2};

/// Nothing is sent to a topic that would lose it.
void prepare_topics(const RelayOptions& options, const EventStore& store, std::size_t incarnation) {
    if (incarnation > 0) {
        // At a fork alone the relay makes a topic: no record of the dead branch can be in it.
        create_topics(options.topic, {.partitions = store.identity().partitions,
                                      .record_bytes = options.record_bytes,
                                      .incarnation = incarnation,
                                      .allow_retention = options.allow_retention,
                                      .timeout = options.broker_timeout});
    }
    check_topics(options.topic,
                 {.partitions = store.identity().partitions,
                  .record_bytes = options.record_bytes,
                  .allow_retention = options.allow_retention,
                  .timeout = options.broker_timeout},
                 incarnation);
}

bool topic_is_there(const RelayOptions& options, std::size_t incarnation) {
    kafka::Admin admin{kafka::client_settings(options.topic)};
    return admin.describe(options.topic.log(incarnation), options.broker_timeout).has_value();
}

}  // namespace

class Relay::Parts {
public:
    Parts(EventStore& store, RelayOptions options)
        : store_(store),
          options_(std::move(options)),
          cursors_(open_cursors(store, options_)),
          labels_({{"topic", options_.topic.name}}) {
        static_cast<void>(kafka::client_settings(options_.topic));  // complain early
    }
    ~Parts() {
        try {
            publisher_.reset();
            cursors_->release();
        } catch (const std::exception& error) {
            spdlog::debug("relay of {}: the lease was not given back: {}", options_.topic.name,
                          error.what());
        }
    }
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    std::int64_t catch_up();
    std::string run(std::stop_token stop);

private:
    bool begin();
    void work_until(const std::function<bool()>& done, std::stop_token stop, bool patient);
    void beat_when_due();
    void beat();
    void idle(std::stop_token stop);
    void finish();
    void end(const std::exception& error);
    void tell_backlog();
    Gauge& backlog_gauge() {
        return gauge("recount_relay_backlog_events",
                     "Events in the store that the topic does not hold yet");
    }
    std::string serve(std::stop_token stop);
    Gauge& gauge(const char* name, const char* help) {
        return store_.environment().metrics.gauge(name, help, labels_);
    }
    [[nodiscard]] std::string log() const {
        return options_.topic.log(publisher_->incarnations() - 1);
    }
    std::chrono::nanoseconds steady() { return store_.environment().clock.steady(); }

    EventStore& store_;
    RelayOptions options_;
    std::unique_ptr<Cursors> cursors_;
    Labels labels_;
    std::unique_ptr<Publisher> publisher_;
    std::vector<Cursor> saved_;
    std::chrono::nanoseconds next_beat_{0};
    std::int64_t beats_ = 0;
    bool worked_ = false;       // the topics were fine once
    std::int64_t counted_ = 0;  // deliveries of this publisher that the metric has
};

/// False while another relay works.
bool Relay::Parts::begin() {
    if (!cursors_->hold()) return false;
    if (publisher_) return true;
    const auto incarnations = store_.incarnations().size();
    try {
        prepare_topics(options_, store_, incarnations - 1);
    } catch (const Mismatch& error) {
        if (!worked_ || topic_is_there(options_, incarnations - 1)) throw;
        throw Unavailable(error.what());  // it was deleted; whoever does that may make it again
    }
    saved_ = cursors_->load(options_.topic.log(incarnations - 1));
    publisher_ = std::make_unique<Publisher>(store_, options_, saved_);
    counted_ = 0;
    worked_ = true;
    next_beat_ = std::chrono::nanoseconds{0};
    spdlog::info("relay of {}: publishes store {}, {} events to go", options_.topic.name,
                 store_.identity().name, publisher_->backlog());
    return true;
}

void Relay::Parts::beat() {
    // Not taken anew here: whoever had it meanwhile has moved topic and cursor on.
    if (!cursors_->held()) {
        throw Fenced("relay of " + options_.topic.name +
                     " lost its lease; it begins again when the lease is free");
    }
    auto confirmed = publisher_->confirmed();
    if (confirmed != saved_) {
        cursors_->save(log(), confirmed);
        saved_ = std::move(confirmed);
    }
    publisher_->beat();
    backlog_gauge().set(static_cast<double>(publisher_->backlog()));
    store_.environment()
        .metrics
        .counter("recount_relay_published_total", "Records confirmed by the brokers", labels_)
        .add(static_cast<double>(publisher_->delivered() - counted_));
    counted_ = publisher_->delivered();
}

void Relay::Parts::beat_when_due() {
    if (steady() < next_beat_) return;
    next_beat_ = steady() + options_.beat;
    beat();
    publisher_->look_back();
    if (++beats_ % beats_between_forks != 0) return;
    if (store_.incarnations().size() != publisher_->incarnations()) {
        throw Unavailable("store " + store_.identity().name +
                          " began a new incarnation; the relay begins its topic");
    }
}

void Relay::Parts::idle(std::stop_token stop) {
    if (publisher_->in_flight()) {
        publisher_->poll(options_.linger);
    } else {
        const auto left = std::chrono::duration_cast<Duration>(next_beat_ - steady());
        publisher_->poll(Duration::zero());
        if (left <= Duration::zero() || !store_.wait(publisher_->sent(), left, stop)) return;
    }
    publisher_->refresh_heads();
}

void Relay::Parts::work_until(const std::function<bool()>& done, std::stop_token stop,
                              bool patient) {
    std::int64_t delivered = publisher_->delivered();
    auto progress = steady();
    while (!stop.stop_requested()) {
        beat_when_due();
        if (!cursors_->held()) beat();  // throws
        const auto sent = publisher_->send();
        publisher_->poll(sent == Publisher::Sent::blocked ? options_.linger : Duration::zero());
        if (done()) return;
        if (sent == Publisher::Sent::nothing) idle(stop);
        if (patient || publisher_->delivered() != delivered || !publisher_->in_flight()) {
            delivered = publisher_->delivered();
            progress = steady();
        } else if (steady() - progress > options_.broker_timeout) {
            throw Unavailable("topic " + log() +
                              ": no delivery was confirmed for a long time; "
                              "check that its brokers run and have replicas in sync");
        }
    }
}

std::int64_t Relay::Parts::catch_up() {
    try {
        if (!begin()) {
            throw Fenced("relay of " + options_.topic.name +
                         ": another relay works; try again when it has ended");
        }
        const std::int64_t before = publisher_->delivered();
        const auto heads = store_.heads();
        work_until([&] { return publisher_->covers(heads); }, {}, false);
        finish();
        return publisher_->delivered() - before;
    } catch (const std::exception&) {
        publisher_.reset();
        throw;
    }
}

/// What is on its way arrives, the cursor moves behind it, and the world is told.
void Relay::Parts::finish() {
    publisher_->producer().flush(last_flush);
    publisher_->poll(Duration::zero());
    beat();
    publisher_->producer().flush(last_flush);
}

std::string Relay::Parts::serve(std::stop_token stop) {
    while (!stop.stop_requested()) {
        if (!begin()) {
            gauge("recount_relay_working", "1 where this relay publishes, 0 where it stands by")
                .set(0);
            store_.environment().scheduler.sleep(standby_pause, stop);
            continue;
        }
        gauge("recount_relay_working", "1 where this relay publishes, 0 where it stands by").set(1);
        work_until([] { return false; }, stop, true);
        finish();
    }
    return "asked to stop";
}

void Relay::Parts::end(const std::exception& error) {
    spdlog::warn("relay of {}: {}", options_.topic.name, error.what());
    publisher_.reset();
    store_.environment()
        .metrics
        .counter("recount_relay_failures_total", "Times the relay had to begin anew", labels_)
        .add();
    try {
        tell_backlog();
    } catch (const Error& deaf) {
        spdlog::debug("relay of {}: {}", options_.topic.name, deaf.what());
    }
}

/// While nothing can be published: against the cursors as they were saved.
void Relay::Parts::tell_backlog() {
    const auto heads = store_.heads();
    double backlog = 0;
    for (std::size_t index = 0; index < heads.size(); ++index) {
        const std::int64_t saved = index < saved_.size() ? saved_[index].n : 0;
        backlog += static_cast<double>(std::max<std::int64_t>(0, heads[index].n - saved));
    }
    backlog_gauge().set(backlog);
}

std::string Relay::Parts::run(std::stop_token stop) {
    Environment& environment = store_.environment();
    Duration pause = first_pause;
    std::string why = "asked to stop";
    while (!stop.stop_requested()) {
        const auto began = steady();
        try {
            why = serve(stop);
            break;
        } catch (const Error& error) {
            end(error);
            if (!error.retryable()) return error.what();
        } catch (const std::exception& error) {
            end(error);
            return error.what();
        }
        if (steady() - began > longest_pause) pause = first_pause;  // it had worked for a while
        const double chance = 0.5 + environment.random.uniform() / 2;
        const auto count = static_cast<double>(pause.count()) * chance;
        environment.scheduler.sleep(Duration{static_cast<std::int64_t>(count)}, stop);
        pause = std::min(pause * 2, longest_pause);
    }
    try {
        publisher_.reset();
        cursors_->release();
    } catch (const std::exception& error) {
        spdlog::warn("relay of {}: the lease was not given back: {}", options_.topic.name,
                     error.what());
    }
    return why;
}

Relay::Relay(EventStore& store, RelayOptions options)
    : parts_(std::make_unique<Parts>(store, std::move(options))) {}
Relay::~Relay() = default;

std::int64_t Relay::catch_up() { return parts_->catch_up(); }
std::string Relay::run(std::stop_token stop) { return parts_->run(std::move(stop)); }

}  // namespace recount
