// A message relay in a process of its own, to be killed: message_relay_child STORE BROKERS TOPIC
// LEASE_MS

#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>

#include <cstdio>
#include <string>

#include "outbox/public_things.hpp"

int main(int count, char** arguments) {
    if (count != 5) {
        std::fputs("message_relay_child STORE BROKERS TOPIC LEASE_MS\n", stderr);
        return 2;
    }
    const auto store = recount::open_store(arguments[1]);
    recount::MessageRelay relay{*store,
                                recount::messages<recount::test::PublicThings>(),
                                {.topic = {.brokers = arguments[2], .name = arguments[3]},
                                 .lease = std::chrono::milliseconds{std::stoi(arguments[4])}}};
    std::fprintf(stderr, "relay ended: %s\n", relay.run({}).c_str());
    return 0;
}
