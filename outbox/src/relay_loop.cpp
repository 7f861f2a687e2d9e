#include "relay_loop.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>

namespace recount {
namespace {

constexpr Duration first_pause = std::chrono::milliseconds{100};
constexpr Duration longest_pause = std::chrono::seconds{5};
constexpr Duration standby_pause = std::chrono::milliseconds{500};
constexpr Duration last_flush = std::chrono::seconds{2};
/// While records are on their way.
constexpr Duration between_polls = std::chrono::milliseconds{5};

}  // namespace

RelayLoop::RelayLoop(EventStore& store, RelayTask task)
    : store_(store),
      task_(std::move(task)),
      cursors_(open_cursors(store, task_.lease, task_.lease_lifetime)),
      labels_({{"topic", task_.name}}) {}

RelayLoop::~RelayLoop() { give_back(); }

/// A relay that stands by need not wait for the end of the lease, or of this object.
void RelayLoop::give_back() noexcept {
    try {
        publisher_.reset();
        cursors_->release();
    } catch (const std::exception& error) {
        spdlog::warn("relay of {}: the lease was not given back: {}", task_.name, error.what());
    }
}

Gauge& RelayLoop::gauge(const char* name, const char* help) {
    return store_.environment().metrics.gauge(name, help, labels_);
}

Gauge& RelayLoop::backlog_gauge() {
    return gauge("recount_relay_backlog_events",
                 "Events in the store that the topic does not hold yet");
}

/// False while another relay works.
bool RelayLoop::begin() {
    if (!cursors_->held()) publisher_.reset();  // another may have moved topic and cursor on
    if (!cursors_->hold()) return false;
    if (publisher_) return true;
    const auto incarnations = store_.incarnations().size();
    try {
        task_.prepare(incarnations - 1);
        key_ = task_.key(incarnations - 1);
        saved_ = cursors_->load(key_);
        publisher_ = task_.publish(saved_);
    } catch (const Mismatch& error) {
        if (!worked_ || task_.topic_is_there(incarnations - 1)) throw;
        throw Unavailable(error.what());  // it was deleted; whoever does that may make it again
    }
    counted_ = 0;
    worked_ = true;
    next_beat_ = std::chrono::nanoseconds{0};
    spdlog::info("relay of {}: publishes store {}, {} events to go", task_.name,
                 store_.identity().name, publisher_->backlog());
    return true;
}

/// Not taken anew: whoever had it meanwhile has moved topic and cursor on.
void RelayLoop::require_lease() const {
    if (cursors_->held()) return;
    throw Fenced("relay of " + task_.name +
                 " lost its lease; it begins again when the lease is free");
}

void RelayLoop::beat() {
    require_lease();
    const auto at = store_.environment().clock.now();  // before the heads are read
    const auto end = cursors_->renew(store_);
    require_lease();
    auto progress = publisher_->progress();
    if (progress != saved_) {
        cursors_->save(key_, progress);
        saved_ = std::move(progress);
    }
    publisher_->beat(end.heads, at);
    backlog_gauge().set(static_cast<double>(publisher_->backlog()));
    store_.environment()
        .metrics
        .counter("recount_relay_published_total", "Records confirmed by the brokers", labels_)
        .add(static_cast<double>(publisher_->delivered() - counted_));
    counted_ = publisher_->delivered();
    if (end.incarnations != publisher_->incarnations()) {
        throw Unavailable("store " + store_.identity().name +
                          " began a new incarnation; the relay begins its topic");
    }
}

void RelayLoop::beat_when_due() {
    if (steady() < next_beat_) return;
    next_beat_ = steady() + task_.beat;
    beat();
    publisher_->look_back();
}

/// Waits for events, even while others are on their way: they need not wait for those.
void RelayLoop::idle(std::stop_token stop) {
    publisher_->poll(Duration::zero());
    auto left = std::chrono::duration_cast<Duration>(next_beat_ - steady());
    if (publisher_->in_flight()) left = std::min(left, between_polls);
    if (left <= Duration::zero() || !store_.wait(publisher_->sent(), left, stop)) return;
    publisher_->refresh_heads();
}

void RelayLoop::work_until(const std::function<bool()>& done, std::stop_token stop, bool patient) {
    std::int64_t delivered = publisher_->delivered();
    auto progress = steady();
    while (!stop.stop_requested()) {
        beat_when_due();
        require_lease();
        const auto sent = publisher_->send();
        publisher_->poll(sent == Publishing::Sent::blocked ? between_polls : Duration::zero());
        if (done()) return;
        if (sent == Publishing::Sent::nothing) idle(stop);
        if (patient || publisher_->delivered() != delivered || !publisher_->in_flight()) {
            delivered = publisher_->delivered();
            progress = steady();
        } else if (steady() - progress > task_.broker_timeout) {
            throw Unavailable("topic " + publisher_->topic() +
                              ": no delivery was confirmed for a long time; "
                              "check that its brokers run and have replicas in sync");
        }
    }
}

std::int64_t RelayLoop::catch_up() {
    try {
        if (!begin()) {
            throw Fenced("relay of " + task_.name +
                         ": another relay works; try again when it has ended");
        }
        const std::int64_t before = publisher_->delivered();
        const auto heads = store_.heads();
        work_until([&] { return publisher_->covers(heads); }, {}, false);
        finish();
        return publisher_->delivered() - before;
    } catch (...) {
        give_back();
        throw;
    }
}

/// What is on its way arrives, the cursor moves behind it, and the world is told.
void RelayLoop::finish() {
    if (!publisher_->producer().flush(last_flush)) {
        spdlog::warn(
            "relay of {}: not all that was sent was confirmed in time; the next relay goes "
            "on from the cursor and from what the topic holds",
            task_.name);
    }
    publisher_->poll(Duration::zero());
    beat();
    publisher_->producer().flush(last_flush);
}

void RelayLoop::tell_working(bool working) {
    gauge("recount_relay_working", "1 where this relay publishes, 0 where it stands by")
        .set(working ? 1 : 0);
}

std::string RelayLoop::serve(std::stop_token stop) {
    while (!stop.stop_requested()) {
        if (!begin()) {
            tell_working(false);
            store_.environment().scheduler.sleep(standby_pause, stop);
            continue;
        }
        tell_working(true);
        work_until([] { return false; }, stop, true);
        finish();
    }
    return "asked to stop";
}

void RelayLoop::end(const std::exception& error) {
    spdlog::warn("relay of {}: {}", task_.name, error.what());
    publisher_.reset();
    store_.environment()
        .metrics
        .counter("recount_relay_failures_total", "Times the relay had to begin anew", labels_)
        .add();
    try {
        tell_backlog();
    } catch (const std::exception& deaf) {
        spdlog::debug("relay of {}: {}", task_.name, deaf.what());
    }
}

/// While nothing can be published: against the cursors as they were saved.
void RelayLoop::tell_backlog() {
    const auto heads = store_.heads();
    double backlog = 0;
    for (std::size_t index = 0; index < heads.size(); ++index) {
        const std::int64_t saved = index < saved_.cursors.size() ? saved_.cursors[index].n : 0;
        backlog += static_cast<double>(std::max<std::int64_t>(0, heads[index].n - saved));
    }
    backlog_gauge().set(backlog);
}

std::string RelayLoop::serve_in_spite_of_errors(std::stop_token stop) {
    Environment& environment = store_.environment();
    Duration pause = first_pause;
    while (!stop.stop_requested()) {
        const auto began = steady();
        try {
            return serve(stop);
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
    return "asked to stop";
}

std::string RelayLoop::run(std::stop_token stop) {
    std::string why = serve_in_spite_of_errors(std::move(stop));
    tell_working(false);
    give_back();  // however it ended
    return why;
}

}  // namespace recount
