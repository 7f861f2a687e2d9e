// A relay in a process of its own, to be killed:
// relay_child STORE BROKERS TOPIC LEASE_MS [BROKER_TIMEOUT_MS]

#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>

#include <cstdio>
#include <string>

int main(int count, char** arguments) {
    if (count < 5 || count > 6) {
        std::fputs("relay_child STORE BROKERS TOPIC LEASE_MS [BROKER_TIMEOUT_MS]\n", stderr);
        return 2;
    }
    const auto store = recount::open_store(arguments[1]);
    recount::RelayOptions options{.topic = {.brokers = arguments[2], .name = arguments[3]},
                                  .lease = std::chrono::milliseconds{std::stoi(arguments[4])}};
    if (count == 6) options.broker_timeout = std::chrono::milliseconds{std::stoi(arguments[5])};
    recount::Relay relay{*store, options};
    std::fprintf(stderr, "relay ended: %s\n", relay.run({}).c_str());
    return 0;
}
