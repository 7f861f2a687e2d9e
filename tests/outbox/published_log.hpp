#pragma once

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "outbox/kit.hpp"

namespace recount::test {

constexpr Partition zero{0};

/// A store of one partition, published.
struct PublishedLog : testing::Test {
    std::unique_ptr<EventStore> store = open_store("memory:", {.partitions = 1});
    KafkaTopic topic = own_topic_for(*store);
    std::unique_ptr<Relay> relay = std::make_unique<Relay>(*store, RelayOptions{.topic = topic});

    void publish(int count) {
        append_events(*store, count);
        relay->catch_up();
    }
    /// Times a place in it was looked for.
    double searches() const {
        return Environment::system()
            .metrics.counter("recount_log_searches_total", "", {{"topic", topic.name}})
            .value();
    }
    std::vector<RawRecord> raw() { return read_raw(topic, topic.log(), 0); }
    /// Records first … last (positions) once more at the topic's end.
    void send_again(std::size_t first, std::size_t last) {
        const auto records = raw();
        produce_again(topic, topic.log(), 0,
                      {records.begin() + static_cast<std::ptrdiff_t>(first - 1),
                       records.begin() + static_cast<std::ptrdiff_t>(last)});
    }
    std::string message_of_read(KafkaLog& log, std::int64_t after) {
        try {
            while (!log.read(zero, after).end)
                after = log.read(zero, after).events.back().at.position.n;
        } catch (const Divergence& error) {
            return error.what();
        }
        return "no Divergence";
    }
};

}  // namespace recount::test
