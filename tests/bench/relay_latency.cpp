#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>
#include <recount/outbox.hpp>

#include <google/protobuf/wrappers.pb.h>

#include <map>
#include <string>
#include <thread>

#include "bench/bare_kafka.hpp"
#include "bench/child.hpp"
#include "bench/postgres_place.hpp"
#include "bench/relay_loads.hpp"
#include "outbox/kit.hpp"

namespace recount::bench {
namespace {

using namespace recount::test;

constexpr std::int32_t partitions = 16;
constexpr int a_second = 200;
constexpr std::size_t record_bytes = 900;  // payload, envelope and headers
const double linger = std::chrono::duration<double, std::milli>{RelayOptions{}.linger}.count();

Duration duration(double seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>{seconds});
}

/// A reader that follows a topic as a projector does, and notes when it got which stream's event.
class Follower {
public:
    explicit Follower(const KafkaTopic& topic) : log_{{.topic = topic}}, seen_{partitions} {}

    /// Reads until there are so many in all; throws when it takes too long.
    void read_until(std::size_t count) {
        const double patience = seconds_now() + 60;
        while (at_.size() < count) {
            if (seconds_now() > patience) throw Error("events do not arrive");
            if (!log_.wait(seen_, std::chrono::seconds{1})) continue;
            for (std::int32_t number = 0; number < partitions; ++number) read(Partition{number});
        }
    }

    [[nodiscard]] double at(const std::string& stream) const { return at_.at(stream); }
    [[nodiscard]] std::size_t count() const { return at_.size(); }

private:
    void read(Partition partition) {
        for (const auto& event : log_.read(partition, seen_[partition]).events) {
            at_[event.at.stream.full()] = seconds_now();
            seen_.raise(event.at.position);
        }
    }

    KafkaLog log_;
    Positions seen_;
    std::map<std::string, double> at_;
};

/// A store, its topic with something in it, and a relay at work between them.
class Relayed {
public:
    Relayed() {
        append_to(*store, "first-1");
        relay_.catch_up();
        relaying_ = Environment::system().scheduler.spawn(
            "relay", [this](std::stop_token stop) { relay_.run(std::move(stop)); });
    }

    const Place place;
    const std::unique_ptr<EventStore> store = open_store(place.url(), {.partitions = partitions});
    const KafkaTopic topic = own_topic_for(*store);

private:
    Relay relay_{*store, {.topic = topic}};
    std::unique_ptr<Task> relaying_;
};

/// Events at a steady pace, each to a stream of its own: p50 and p99 from commit to read.
std::vector<double> steady(double seconds) {
    const Relayed relayed;
    Follower follower{relayed.topic};
    follower.read_until(1);
    const auto count = static_cast<std::size_t>(seconds * a_second);
    std::vector<double> committed(count);
    std::jthread appender{[&] {
        const double began = seconds_now();
        for (std::size_t index = 0; index < count; ++index) {
            const double left = began + static_cast<double>(index) / a_second - seconds_now();
            if (left > 0) Environment::system().scheduler.sleep(duration(left));
            append_to(*relayed.store, "steady-" + std::to_string(index));
            committed[index] = seconds_now();
        }
    }};
    follower.read_until(1 + count);
    appender.join();
    std::vector<double> milliseconds;
    for (std::size_t index = 0; index < count; ++index) {
        const double read = follower.at("steady-" + std::to_string(index));
        milliseconds.push_back((read - committed[index]) * 1000);
    }
    return {percentile(milliseconds, 0.5), percentile(milliseconds, 0.99)};
}

/// An event of another process, after everything has been silent for a while.
class AfterSilence {
public:
    explicit AfterSilence(double seconds)
        : silence_(seconds), appender_({appending, relayed_.place.url()}) {
        appender_.hear();
        follower_.read_until(1);
    }

    double milliseconds() {
        Environment::system().scheduler.sleep(duration(silence_));
        const std::string stream = "silent-" + std::to_string(follower_.count());
        appender_.say(stream);
        follower_.read_until(follower_.count() + 1);
        return (follower_.at(stream) - std::stod(appender_.hear())) * 1000;
    }

private:
    Relayed relayed_;
    double silence_;
    Child appender_;
    Follower follower_{relayed_.topic};
};

std::vector<double> limits(double seconds) {
    const Place place;
    const auto store = open_store(place.url(), {.partitions = partitions});
    const auto count = static_cast<int>(seconds * a_second);
    const auto took =
        produce_latency(own_topic_for(*store), partitions, count, a_second, record_bytes);
    return {10, linger + 2 * percentile(took, 0.99)};
}

}  // namespace

void append_to(EventStore& store, const std::string& stream) {
    google::protobuf::StringValue value;
    value.set_value(std::string(120, 'x'));
    Append append;
    append.metadata.command_id = to_string(new_uuid7());
    append.writes.push_back({StreamName::parse(stream), Expected::any(), {new_event(value)}});
    append.request = request_hash(append);
    static_cast<void>(store.append(append));
}

void compare_latency(Harness& harness) {
    const double seconds = harness.seconds() * 2;
    harness.compare({.workload = "latency",
                     .variant = std::to_string(a_second) + " events/s, commit to read",
                     .limit_is = "10 ms; linger and twice the p99 of a produce, at the same rate",
                     .oracle = "each event was read",
                     .measures = {{"ms, p50", 1, false}, {"ms, p99", 1, false}},
                     .recount = [&] { return steady(seconds); },
                     .limit = [&] { return limits(seconds); }});
    for (const int silence : {2, 10}) {
        AfterSilence first{static_cast<double>(silence)};
        harness.compare({.workload = "latency",
                         .variant = "first event after " + std::to_string(silence) + " s",
                         .limit_is = "20 ms, by an appender in another process",
                         .oracle = "it was read",
                         .measures = {{"ms, p50", 1, false}},
                         .recount = [&] { return std::vector<double>{first.milliseconds()}; },
                         .limit = [] { return std::vector<double>{20}; }});
    }
}

}  // namespace recount::bench
