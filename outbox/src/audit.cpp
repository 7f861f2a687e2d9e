#include <recount/outbox/audit.hpp>

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>

#include "audit_reading.hpp"
#include "beat_reader.hpp"

namespace recount {

const char* to_string(AuditFinding::Kind kind) {
    switch (kind) {
        case AuditFinding::Kind::missing:
            return "missing";
        case AuditFinding::Kind::differing:
            return "differing";
        case AuditFinding::Kind::extra:
            return "extra";
        case AuditFinding::Kind::out_of_order:
            return "out of order";
        case AuditFinding::Kind::foreign:
            return "foreign";
        case AuditFinding::Kind::replayed:
            return "replayed";
        case AuditFinding::Kind::mended:
            return "mended";
    }
    return "unknown";
}

std::int64_t AuditReport::proved() const {
    std::int64_t sum = 0;
    for (const auto& partition : partitions) sum += partition.proved.n;
    return sum;
}

std::int64_t AuditReport::behind() const {
    std::int64_t sum = 0;
    for (const auto& partition : partitions) sum += partition.behind();
    return sum;
}

class Audit::Parts {
public:
    Parts(EventStore& store, AuditOptions options);

    AuditReport catch_up(std::stop_token stop);
    std::string run(std::stop_token stop);
    const AuditReport& report() const { return world_.report; }
    std::vector<AuditPlace> proved();

private:
    bool forked();
    void same_incarnation();
    std::vector<std::int64_t> hear_relay();
    void note_places();
    void conclude(bool complete);
    void heartbeat();
    Environment& environment() { return store_.environment(); }

    EventStore& store_;
    AuditOptions options_;
    std::vector<Incarnation> incarnations_;
    AuditWorld world_;
    AuditReading reading_;
    BeatReader beats_;
    bool passed_ = false;  // once, to the end
};

Audit::Parts::Parts(EventStore& store, AuditOptions options)
    : store_(store),
      options_(std::move(options)),
      incarnations_(store.incarnations()),
      world_{options_.topic.log(incarnations_.size() - 1),
             options_.allow_retention,
             RecordEncoder{source_of(store.identity().id, options_.source), incarnations_.back().id,
                           options_.withhold},
             {},
             options_.on_finding},
      reading_(store, options_, world_),
      beats_({.topic = options_.topic, .broker_timeout = options_.broker_timeout},
             store.environment()) {
    world_.report.topic = world_.topic;
    note_places();
}

/// False, too, when the store does not answer.
bool Audit::Parts::forked() {
    try {
        return store_.incarnations().back().id != store_.identity().incarnation;
    } catch (const Error&) {
        return false;
    }
}

void Audit::Parts::same_incarnation() {
    if (store_.incarnations().back().id == store_.identity().incarnation) return;
    throw Unavailable("store " + store_.identity().name +
                      " began a new incarnation; open it again and audit its topic");
}

/// What the relay says it knows to be in the topic, -1 where it says nothing. Asked for before the
/// topic's ends are, so that it must be there.
std::vector<std::int64_t> Audit::Parts::hear_relay() {
    std::vector<std::int64_t> published(reading_.lanes().size(), -1);
    std::optional<Beat> beat;
    try {
        beat = beats_.newest();
    } catch (const Unavailable& error) {
        spdlog::debug("audit of {}: {}", options_.topic.name, error.what());
    }
    if (!beat) return published;
    if (beat->identity.id != store_.identity().id) {
        throw Mismatch("topic " + options_.topic.name + " carries store " +
                       to_string(beat->identity.id) + ", expected " +
                       to_string(store_.identity().id) + " (" + store_.identity().name +
                       "); check topic name and store");
    }
    world_.report.relay_at = beat->at;
    if (beat->log != world_.topic) return published;
    for (std::size_t index = 0; index < published.size(); ++index) {
        if (index < beat->published.size()) published[index] = beat->published[index];
    }
    return published;
}

/// Also after a pass that was broken off: what was read is not forgotten.
void Audit::Parts::note_places() {
    auto& places = world_.report.partitions;
    places.clear();
    for (const auto& lane : reading_.lanes()) places.push_back(lane.state());
}

/// How far the topic is behind, and whether that says anything.
void Audit::Parts::conclude(bool complete) {
    AuditReport& report = world_.report;
    const auto heads = store_.heads();
    auto& lanes = reading_.lanes();
    for (std::size_t index = 0; index < lanes.size(); ++index) {
        lanes[index].window().learn_head(heads.at(index).n);
    }
    note_places();
    passed_ = passed_ || complete;
    if (!passed_) report.unknown = "the audit was broken off";
    if (!report.unknown.empty() || report.behind() == 0) return;
    const auto now = environment().clock.now();
    if (report.relay_at && now - *report.relay_at <= options_.silence) return;
    report.unknown = "topic " + report.topic + " is " + std::to_string(report.behind()) +
                     " events behind its store, and its relay has not been heard of since " +
                     (report.relay_at ? to_string(*report.relay_at) : "ever") +
                     ", so whether they will come cannot be told; start the relay";
}

AuditReport Audit::Parts::catch_up(std::stop_token stop) {
    world_.report.unknown.clear();
    try {
        same_incarnation();
        reading_.open(incarnations_.size() > 1);
        const auto published = hear_relay();
        for (Partition partition;
             partition.value < store_.identity().partitions && !stop.stop_requested();
             ++partition.value) {
            reading_.read(partition, stop, published[static_cast<std::size_t>(partition.value)]);
        }
        conclude(!stop.stop_requested());
    } catch (const Error& error) {
        world_.report.unknown = error.what();
        note_places();
        throw;
    }
    return world_.report;
}

void Audit::Parts::heartbeat() {
    if (options_.on_heartbeat) options_.on_heartbeat(world_.report);
}

std::string Audit::Parts::run(std::stop_token stop) {
    std::chrono::nanoseconds next{0};
    while (!stop.stop_requested()) {
        try {
            catch_up(stop);
        } catch (const Error& error) {
            if (!error.retryable() || forked()) return error.what();
        } catch (const std::exception& error) {
            return error.what();
        }
        const auto now = environment().clock.steady();
        if (now >= next) {
            try {
                heartbeat();
            } catch (const std::exception& error) {
                return error.what();
            }
            next = now + options_.heartbeat;
        }
        environment().scheduler.sleep(options_.pause, stop);
    }
    return "asked to stop";
}

std::vector<AuditPlace> Audit::Parts::proved() {
    std::vector<AuditPlace> places;
    for (const auto& lane : reading_.lanes()) places.push_back(lane.state().proved);
    return places;
}

Audit::Audit(EventStore& store, AuditOptions options)
    : parts_(std::make_unique<Parts>(store, std::move(options))) {}
Audit::~Audit() = default;

AuditReport Audit::catch_up(std::stop_token stop) { return parts_->catch_up(std::move(stop)); }
std::string Audit::run(std::stop_token stop) { return parts_->run(std::move(stop)); }
const AuditReport& Audit::report() const { return parts_->report(); }
std::vector<AuditPlace> Audit::proved() const { return parts_->proved(); }

}  // namespace recount
