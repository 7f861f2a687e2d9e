#pragma once

#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "outbox/kit.hpp"
#include "support/eventually.hpp"

namespace recount::test {

/// A store, its topic on the real broker, and a relay between them, for what may go wrong.
struct RelayInTrouble : testing::Test {
    std::unique_ptr<EventStore> store = open_store("memory:", {.partitions = 2});
    KafkaTopic topic = own_topic_for(*store);
    Relay relay{*store, {.topic = topic}};

    std::string message_of_catch_up(Relay& one) {
        try {
            one.catch_up();
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }
    void make_log_anew() {
        delete_topic(topic, topic.log());
        ASSERT_TRUE(eventually([&] {
            create_topics(topic, {.partitions = 2});
            return published();
        }));
    }
    bool published() {
        try {
            check_topics(topic, {.partitions = 2});
            for (const std::int32_t partition : {0, 1}) read_raw(topic, topic.log(), partition);
            return true;
        } catch (const Error&) {
            return false;  // brokers learn of topics one after the other
        }
    }
};

}  // namespace recount::test
