#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <spdlog/spdlog.h>

#include <iostream>
#include <string>

#include "bench/child.hpp"
#include "bench/postgres_place.hpp"
#include "bench/relay_loads.hpp"
#include "outbox/kit.hpp"
#include "support/eventually.hpp"
#include "support/tcp_proxy.hpp"

namespace recount::bench {
namespace {

using namespace recount::test;

constexpr std::int32_t partitions = 16;

/// A process with a relay and nothing else; says its processor time when asked.
void relay_in_child(const std::string& url, const std::string& topic) {
    spdlog::set_level(spdlog::level::off);  // the parent hears what is printed
    const auto store = open_store(url);
    Relay relay{*store, {.topic = {.brokers = kafka_brokers(), .name = topic}}};
    relay.catch_up();
    const auto task = store->environment().scheduler.spawn(
        "relay", [&](std::stop_token stop) { relay.run(std::move(stop)); });
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) std::cout << cpu_seconds() << std::endl;
}

/// A process that appends an event to each stream it is told, and says when it was committed.
void append_in_child(const std::string& url) {
    spdlog::set_level(spdlog::level::off);
    const auto store = open_store(url);
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        append_to(*store, line);
        std::cout << std::to_string(seconds_now()) << std::endl;
    }
}

int executed(TcpProxy& proxy) {
    int sum = 0;
    for (const auto& [text, times] : proxy.statements()) sum += times;
    return sum;
}

std::vector<double> idle(double seconds) {
    const Place place;
    const auto store = open_store(place.url(), {.partitions = partitions});
    const auto topic = own_topic_for(*store);
    append_to(*store, "first-1");
    TcpProxy proxy{port_of(postgres_url())};
    Child child{{relaying, proxy.url_through(place.url()), topic.name}};
    child.hear();
    auto& scheduler = Environment::system().scheduler;
    scheduler.sleep(std::chrono::seconds{5});  // it looks ever more seldom
    const int before = executed(proxy);
    const double began = seconds_now();
    child.say("cpu");
    const double cpu = std::stod(child.hear());
    scheduler.sleep(std::chrono::duration_cast<Duration>(std::chrono::duration<double>{seconds}));
    const int queries = executed(proxy) - before;
    child.say("cpu");
    const double used = std::stod(child.hear()) - cpu;
    const double took = seconds_now() - began;
    append_to(*store, "last-1");
    if (!eventually([&] { return differences(*store, topic).empty(); })) {
        throw Error("the relay no longer publishes");
    }
    return {queries / took, used / took * 100};
}

}  // namespace

void compare_idle(Harness& harness) {
    const double seconds = harness.seconds() * 10;
    harness.compare({.workload = "idle",
                     .variant = "a relay with nothing to do",
                     .limit_is = "what it may cost",
                     .oracle = "then it publishes an event",
                     .measures = {{"queries/s", 1, false}, {"% of a core", 1, false}},
                     .recount = [&] { return idle(seconds); },
                     .limit =
                         [] {
                             return std::vector<double>{1, 1};
                         }});
}

bool other_process(int count, char** arguments) {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    if (words.size() == 3 && words[0] == relaying) relay_in_child(words[1], words[2]);
    if (words.size() == 2 && words[0] == appending) append_in_child(words[1]);
    return !words.empty() && (words[0] == relaying || words[0] == appending);
}

}  // namespace recount::bench
