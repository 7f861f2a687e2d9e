#pragma once

#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "outbox/kit.hpp"
#include "outbox/message_oracle.hpp"
#include "outbox/public_things.hpp"
#include "support/eventually.hpp"
#include "support/servers.hpp"

namespace recount::test {

inline const MessageMapping mapping = messages<PublicThings>();

struct MessagesOnKafka : testing::Test {
    std::unique_ptr<EventStore> store = open_store("memory:", {.partitions = 4});
    KafkaTopic topic = own_message_topic();

    std::unique_ptr<MessageRelay> make_relay() {
        return std::make_unique<MessageRelay>(*store, mapping, MessageRelayOptions{.topic = topic});
    }
    void expect_exact(std::int64_t replays = 0) {
        const auto found = compare_messages(*store, mapping, topic);
        EXPECT_EQ(found.wrong, "");
        EXPECT_EQ(found.replays, replays);
    }
    std::string message_of_catch_up() {
        try {
            make_relay()->catch_up();
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }
};

struct MessagesOfADurableStore : MessagesOnKafka {
    std::string url = postgres_url_with_own_schema();
    void SetUp() override { store = open_store(url, {.partitions = 4}); }
    void make_topic_anew(std::int32_t partitions) {
        delete_topic(topic, topic.name);
        ASSERT_TRUE(eventually([&] {
            try {
                create_plain_topic(topic, topic.name, partitions);
                for (std::int32_t number = 0; number < partitions; ++number) {
                    read_raw(topic, topic.name, number);
                }
                return true;
            } catch (const std::exception&) {
                return false;  // brokers learn of topics one after the other
            }
        }));
    }
};

}  // namespace recount::test
