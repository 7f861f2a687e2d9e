#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>
#include <recount/saga.hpp>

#include <iostream>
#include <memory>

#include "engines.hpp"
#include "programs.hpp"
#include "shop_views.hpp"

namespace shop {

namespace {

recount::KafkaTopic topic_of(const PartArguments& arguments) {
    return {.brokers = arguments.brokers, .name = arguments.name};
}

int ended(bool asked, const std::string& reason) {
    if (asked) return done;
    std::cerr << reason << '\n';
    return failed;
}

}  // namespace

int relay(const PartArguments& arguments, std::stop_token stop) {
    const auto store = recount::open_store(arguments.store);
    recount::create_topics(topic_of(arguments), {.partitions = store->identity().partitions});
    recount::Relay relaying{*store, {.topic = topic_of(arguments)}};
    const std::string reason = relaying.run(stop);
    return ended(stop.stop_requested(), reason);
}

int project(const PartArguments& arguments, std::stop_token stop) {
    std::unique_ptr<recount::EventStore> store;
    if (!arguments.store.empty()) {
        store = recount::open_store(arguments.store);
        // Whoever comes first makes the topics: this process need not wait for the relay.
        recount::create_topics(topic_of(arguments), {.partitions = store->identity().partitions});
    }
    recount::KafkaLog log{{.topic = topic_of(arguments), .store = store.get()}};
    ShopProjector projector{log, {.views = arguments.views}};
    const recount::RunEnd end = projector.run(std::move(stop));
    return ended(end.asked, end.reason);
}

int sagas(const PartArguments& arguments, std::stop_token stop) {
    const auto store = recount::open_store(arguments.store);
    Repositories shop{*store};
    recount::SagaEngine engine{*store};
    add_sagas(engine, shop);
    const auto end = engine.run(std::move(stop));
    return ended(end.asked, end.reason);
}

}  // namespace shop
