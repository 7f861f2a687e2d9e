#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "eventstore/postgres/own_schema.hpp"
#include "outbox/kit.hpp"
#include "support/eventually.hpp"
#include "support/tcp_proxy.hpp"

namespace recount::test {
namespace {

using std::chrono::milliseconds;

/// A relay on PostgreSQL that has published everything, and whose statements are counted.
class IdleRelay : public testing::Test {
protected:
    IdleRelay() {
        const auto store = open_store(schema_.url(), {.partitions = 4});
        append_events(*store, 20);
        create_topics(topic_, {.partitions = 4});
    }

    struct Count {
        int beats = 0, others = 0;
    };

    /// A beat renews the lease; nothing else does as long as there are beats.
    Count count() {
        Count count;
        for (const auto& [text, times] : proxy_.statements()) {
            const bool beat = text.find("with renewed as") != std::string::npos;
            (beat ? count.beats : count.others) += times;
        }
        return count;
    }

    OwnSchema schema_;
    KafkaTopic topic_ = own_topic();
    TcpProxy proxy_{port_of(postgres_url())};
};

TEST(RelaysThatBeginTogether, MakeTheirTablesOnce) {
    constexpr int relays = 6;
    for (int round = 0; round < 10; ++round) {
        const OwnSchema schema;
        const auto store = open_store(schema.url(), {.partitions = 1});
        std::latch all{relays};
        std::atomic<int> begun = 0;
        {
            std::vector<std::jthread> threads;
            for (int number = 0; number < relays; ++number) {
                threads.emplace_back([&] {
                    all.arrive_and_wait();
                    try {
                        const Relay relay{*store, {.topic = own_topic()}};
                        ++begun;
                    } catch (const Error& error) {
                        ADD_FAILURE() << error.what();
                    }
                });
            }
        }
        ASSERT_EQ(begun, relays);
    }
}

TEST_F(IdleRelay, AsksTheDatabaseOnceABeat) {
    const auto store = open_store(proxy_.url_through(schema_.url()));
    Relay relay{*store, {.topic = topic_, .beat = milliseconds{100}}};
    relay.catch_up();
    const auto relaying = store->environment().scheduler.spawn(
        "relay", [&](std::stop_token stop) { relay.run(std::move(stop)); });
    constexpr int settling = 30;  // after the last event it looks ever more seldom
    constexpr int watched = 60;
    ASSERT_TRUE(eventually([&] { return count().beats >= settling; }));
    const Count before = count();
    ASSERT_TRUE(eventually([&] { return count().beats >= before.beats + watched; }));
    const Count after = count();
    // Two are left to a machine that is so slow that beats come late.
    EXPECT_LE(after.others - before.others, 2);
}

TEST_F(IdleRelay, StillHearsOfOtherProcessesAtOnce) {
    const auto store = open_store(proxy_.url_through(schema_.url()));
    Relay relay{*store, {.topic = topic_, .beat = std::chrono::minutes{10}}};
    relay.catch_up();
    const auto relaying = store->environment().scheduler.spawn(
        "relay", [&](std::stop_token stop) { relay.run(std::move(stop)); });
    const auto other = open_store(schema_.url());
    for (int round = 0; round < 3; ++round) {
        append_events(*other, 1);
        EXPECT_TRUE(eventually([&] { return differences(*other, topic_).empty(); }));
    }
}

}  // namespace
}  // namespace recount::test
